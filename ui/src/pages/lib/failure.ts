import { away, type Refused } from '../../api/request';
import type { Failure } from '../../api/types';
import { i18n, t } from '../../i18n/i18n.svelte';
import { coded, sentence } from '../../lib/reason';
import { say } from '../../lib/said';

export { sentence } from '../../lib/reason';

/**
 * explain is a refusal in a sentence: the app's own in English, since it knows most about
 * the case; in other languages that of its code.
 */
export function explain(r: Refused): string {
  return r.code === away ? t('fail.away') : explainFailure(r.failure);
}

/** explainFailure is the same of a failure that came in an answer. */
export function explainFailure({ code, said, text }: Failure): string {
  if (said) return sentence(say(said, text));
  const other = coded(code);
  if (text && (i18n.language === 'en' || !other)) return sentence(text);
  return other ?? t('fail.other');
}
