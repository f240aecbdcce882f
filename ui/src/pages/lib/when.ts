// Times as people say them: "9:44", "today 9:44", "3 March", "3 March 2024".

import { i18n, t } from '../../i18n/i18n.svelte';

const formats = new Map<string, Intl.DateTimeFormat>();

function format(name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = i18n.locale + ' ' + name;
  let f = formats.get(key);
  if (!f) formats.set(key, (f = new Intl.DateTimeFormat(i18n.locale, options)));
  return f;
}

/** The time of day. */
export function clock(ms: number): string {
  return format('clock', { hour: 'numeric', minute: '2-digit' }).format(ms);
}

/** How many days apart two times are by the calendar. */
export function daysApart(from: number, to: number): number {
  const midnight = (ms: number) => new Date(ms).setHours(0, 0, 0, 0);
  return Math.round((midnight(to) - midnight(from)) / 86_400_000);
}

/** A day and a month, and the year where it is another one. */
export function date(ms: number, now = Date.now()): string {
  const same = new Date(ms).getFullYear() === new Date(now).getFullYear();
  return format(same ? 'date' : 'year', { day: 'numeric', month: 'long', ...(same ? {} : { year: 'numeric' }) }).format(ms);
}

/** The day of the week within a week, else the date. */
export function day(ms: number, now = Date.now()): string {
  const away = daysApart(now, ms);
  if (away === 0) return t('when.today');
  if (away === -1) return t('when.yesterday');
  if (away === 1) return t('when.tomorrow');
  if (Math.abs(away) < 7) return format('weekday', { weekday: 'long' }).format(ms);
  return date(ms, now);
}

/** A day and a time: "today 9:44", "3 March 9:44". */
export function moment(ms: number, now = Date.now()): string {
  return t('when.moment', { day: day(ms, now), time: clock(ms) });
}

/** What tells a point on a line best: the time today, else the date. */
export function point(ms: number, now = Date.now()): string {
  return daysApart(now, ms) === 0 ? clock(ms) : date(ms, now);
}

/** A span in its largest whole unit: "one week", "30 days". seconds > 0. */
export function span(seconds: number): string {
  const units: [number, Intl.NumberFormatOptions['unit']][] = [[604_800, 'week'], [86_400, 'day'], [3600, 'hour'], [60, 'minute'], [1, 'second']];
  const [size, unit] = units.find(([size]) => seconds >= size && seconds % size === 0) ?? [1, 'second'];
  return new Intl.NumberFormat(i18n.locale, { style: 'unit', unit, unitDisplay: 'long' }).format(seconds / size!);
}

/** Bytes: "18.4 MB". */
export function bytes(n: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];
  let i = 0;
  while (n >= 1000 && i < units.length - 1) { n /= 1000; i++; }
  return new Intl.NumberFormat(i18n.locale, { style: 'unit', unit: units[i], unitDisplay: i ? 'short' : 'long', maximumFractionDigits: n < 100 && i > 1 ? 1 : 0 }).format(n);
}

/** Names as a list: "Ana, Bo and Cy". */
export function list(names: string[]): string {
  return new Intl.ListFormat(i18n.locale, { type: 'conjunction' }).format(names);
}
