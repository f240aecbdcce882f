// Times as people say them. Everything takes the locale and, where it matters, now: the
// stores give both, and tests their own.

const day = 86_400_000;

/** midnight is the beginning of the local day of a time. */
export function midnight(time: number): number {
  const d = new Date(time);
  return new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime();
}

/** sameDay says whether two times fall on one local day. */
export function sameDay(a: number, b: number): boolean {
  return midnight(a) === midnight(b);
}

const formats = new Map<string, Intl.DateTimeFormat>();
function format(locale: string, options: Intl.DateTimeFormatOptions, name: string): Intl.DateTimeFormat {
  const key = locale + name;
  let f = formats.get(key);
  if (!f) formats.set(key, (f = new Intl.DateTimeFormat(locale, options)));
  return f;
}

/** 9:41 */
export function clock(locale: string, time: number): string {
  return format(locale, { hour: 'numeric', minute: '2-digit' }, 'clock').format(time);
}

/** Thursday, 12 June, with the year when it is another one. */
export function dayName(locale: string, time: number, now: number): string {
  return new Date(time).getFullYear() === new Date(now).getFullYear()
    ? format(locale, { weekday: 'long', day: 'numeric', month: 'long' }, 'day').format(time)
    : format(locale, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }, 'dayYear').format(time);
}

/** In a list: 9:58 today, Mon within the last six days, 3 June, 3 June 2024. */
export function listTime(locale: string, time: number, now: number): string {
  if (!time) return '';
  const days = Math.round((midnight(now) - midnight(time)) / day);
  if (days === 0) return clock(locale, time);
  if (days > 0 && days < 7) return format(locale, { weekday: 'short' }, 'weekday').format(time);
  if (new Date(time).getFullYear() === new Date(now).getFullYear()) {
    return format(locale, { day: 'numeric', month: 'long' }, 'date').format(time);
  }
  return format(locale, { day: 'numeric', month: 'short', year: 'numeric' }, 'dateYear').format(time);
}

/** The whole of it, for titles: Thursday, 12 June 2025 at 9:41 */
export function fullTime(locale: string, time: number): string {
  return format(locale, { dateStyle: 'full', timeStyle: 'short' }, 'full').format(time);
}

/** 3 March, with the year when it is another one. */
export function date(locale: string, time: number, now: number): string {
  return new Date(time).getFullYear() === new Date(now).getFullYear()
    ? format(locale, { day: 'numeric', month: 'long' }, 'date').format(time)
    : format(locale, { day: 'numeric', month: 'long', year: 'numeric' }, 'longDate').format(time);
}

const units = [
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const;

/** A span of seconds in the largest unit that divides it: 1 week, 8 hours; narrow: 1w, 8h. */
export function span(locale: string, seconds: number, narrow = false): string {
  for (const [unit, size] of units) {
    if (seconds >= size && (seconds % size === 0 || unit === 'second')) {
      return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: narrow ? 'narrow' : 'long' }).format(seconds / size);
    }
  }
  return new Intl.NumberFormat(locale, { style: 'unit', unit: 'second', unitDisplay: narrow ? 'narrow' : 'long' }).format(seconds);
}

/** A clock that moves once a minute, for what depends on the day. */
export function untilMidnight(now: number): number {
  return midnight(midnight(now) + day + day / 2) - now;
}
