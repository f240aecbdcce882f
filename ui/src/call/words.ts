// Small words and figures of calls.

import { i18n, t } from '../i18n/i18n.svelte';

/** count is a small number as a word: three, four. */
export function count(n: number): string {
  return t('ring.counts').split(' ')[n - 3] ?? i18n.number(n);
}

/** length is how long something took: 12:47, 1:02:09. */
export function length(milliseconds: number): string {
  const s = Math.max(0, Math.floor(milliseconds / 1000));
  const two = (n: number): string => String(n).padStart(2, '0');
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  return h ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}
