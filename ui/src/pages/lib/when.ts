// Times as the pages say them, in the language of the moment: lib/when with its locale and
// the day on the wall filled in.

import { i18n, t } from '../../i18n/i18n.svelte';
import { ui } from '../../lib/ui.svelte';
import * as when from '../../lib/when';

/** 9:41 */
export const clock = (ms: number): string => when.clock(i18n.locale, ms);

/** 3 March, and the year where it is another one. */
export const date = (ms: number): string => when.date(i18n.locale, ms, ui.now);

/** 1 week, 30 days; of whole seconds. */
export const span = (seconds: number): string => when.span(i18n.locale, seconds);

/** How many days the calendar lies between a time and today; negative: it is past. */
export function daysAway(ms: number): number {
  return Math.round((when.midnight(ms) - when.midnight(ui.now)) / 86_400_000);
}

export const today = (ms: number): boolean => daysAway(ms) === 0;

/** The name of a day within a week, else the date. */
export function day(ms: number): string {
  const away = daysAway(ms);
  if (away === 0) return t('when.today');
  if (away === -1) return t('when.yesterday');
  if (away === 1) return t('when.tomorrow');
  if (Math.abs(away) < 7) return new Intl.DateTimeFormat(i18n.locale, { weekday: 'long' }).format(ms);
  return date(ms);
}

/** A day and a time: today 9:44, 3 March 9:44. */
export const moment = (ms: number): string => t('when.moment', { day: day(ms), time: clock(ms) });

/** What tells a point on a line best: the time today, else the date. */
export const point = (ms: number): string => (today(ms) ? clock(ms) : date(ms));

/** Bytes: 18.4 MB. */
export function bytes(n: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];
  let i = 0;
  while (n >= 1000 && i < units.length - 1) {
    n /= 1000;
    i++;
  }
  return new Intl.NumberFormat(i18n.locale, {
    style: 'unit', unit: units[i], unitDisplay: i ? 'short' : 'long', maximumFractionDigits: n < 100 && i > 1 ? 1 : 0,
  }).format(n);
}

/** Names as a list: Ana, Bo and Cy. */
export const list = (names: string[]): string => new Intl.ListFormat(i18n.locale, { type: 'conjunction' }).format(names);

/** Names after a colon: kitchen laptop, desk. */
export const plainList = (names: string[]): string => new Intl.ListFormat(i18n.locale, { type: 'unit', style: 'short' }).format(names);

/** The first letter of a sentence, large. */
export const capital = (s: string): string => s.charAt(0).toLocaleUpperCase(i18n.locale) + s.slice(1);
