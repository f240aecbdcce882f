import { t } from '../../i18n/i18n.svelte';
import { span } from './when';

/** How long after reading messages may vanish, in seconds: what the lists offer; 0 is never. */
export const vanishTimes = [0, 3600, 86_400, 604_800, 2_419_200, 7_776_000];

/** vanishOptions is the list, with the present value in its place if it is another one. */
export function vanishOptions(now: number): { value: number; text: string }[] {
  const times = vanishTimes.includes(now) ? vanishTimes : [...vanishTimes, now].sort((a, b) => a - b);
  return times.map((s) => ({ value: s, text: s === 0 ? t('vanish.never') : t('vanish.after', { span: span(s) }) }));
}
