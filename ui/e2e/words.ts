// What the interface says, as the tests look for it: by the key of the text, so that a
// better wording breaks no test.

import { en, type English, type Key } from '../src/i18n/en';
import { fill } from '../src/i18n/fill';
import type { Values } from '../src/i18n/types';

/** Marks that keep what somebody wrote apart from the text around it. */
const apart = '[\\u2066-\\u2069]?';

const literal = (s: string): string => s.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

function source(key: Key, values: Record<string, string | number>): string {
  const text = en[key];
  const n = Number(values.n);
  const form = typeof text === 'string' ? text : ((n === 1 && 'one' in text ? text.one : undefined) ?? text.other);
  return fill(literal(form).replace(/\\\{(\w+)\\\}/g, '{$1}'), (name) => {
    const value = values[name];
    if (value === undefined) return '.*';
    return apart + literal(typeof value === 'number' ? value.toLocaleString('en') : value) + apart;
  });
}

/** say is a text, whole. A value that is left out stands for anything. */
export function say<K extends Key>(key: K, values: Partial<NonNullable<Values<English[K]>[0]>> = {}): RegExp {
  return new RegExp(`^\\s*${source(key, values as Record<string, string | number>)}\\s*$`);
}

/** part is a text somewhere within another. */
export function part<K extends Key>(key: K, values: Partial<NonNullable<Values<English[K]>[0]>> = {}): RegExp {
  return new RegExp(source(key, values as Record<string, string | number>));
}

/** begins is a text with something behind it, like the keys in a menu. */
export function begins<K extends Key>(key: K, values: Partial<NonNullable<Values<English[K]>[0]>> = {}): RegExp {
  return new RegExp(`^\\s*${source(key, values as Record<string, string | number>)}`);
}

/** exactly is what somebody wrote, whole. */
export const exactly = (s: string): RegExp => new RegExp(`^\\s*${apart}${literal(s)}${apart}\\s*$`);
export { literal };
