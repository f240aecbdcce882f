// What a refusal means, in sotto's words. The app says it in English and with a stable code;
// where this window knows the code it says it in the person's own language.

import { away, Refused } from '../api/request';
import { t } from '../i18n/i18n.svelte';
import { session } from '../lib/session.svelte';

export function explain(err: unknown): string {
  if (!(err instanceof Refused)) throw err;
  if (err.code === away) return t('error.away');
  if (err.status === 423) return t('error.locked');
  if (err.status === 401 || err.status === 403) return t('error.closed');
  return err.failure.text || t('error.unknown', { code: err.code });
}

/** The home server, as it is named in sentences. */
export function home(): string {
  return session.state?.hosts.find((h) => h.home)?.host ?? session.self?.handle.split('@')[1] ?? '';
}
