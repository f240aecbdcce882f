// What sotto says about what happened, in the language of the moment. The sentences come
// from internal/said: the app names one, with its values, and adds its English.

import type { Said } from '../api/types';
import { en, type Key } from '../i18n/en';
import { i18n, t } from '../i18n/i18n.svelte';
import { oneLine } from '../text/hygiene';
import { reason } from './reason';
import { span } from './when';

const known = (key: string): key is Key => key.startsWith('said.') && Object.hasOwn(en, key);

/** say is a sentence of sotto's; text is its English, for one that is not known here. */
export function say(said: Said | undefined, text: string): string {
  const key = `said.${said?.key}`;
  if (!said || !known(key)) return oneLine(text);
  const n = said.n ?? 0;
  return tell(key, { ...said.values, n, span: span(i18n.locale, n), why: why(said) });
}

const tell = t as (key: Key, values: object) => string;

/** Why it happened: another of the sentences, inside of this one, or what an error said. */
function why(said: Said): string {
  const key = `said.${said.why}`;
  return known(key) ? tell(key, {}).replace(/\.$/, '') : reason(said.why ?? '', said.values.why ?? '');
}
