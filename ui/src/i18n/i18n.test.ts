import { describe, expect, it } from 'vitest';
import { de } from './de';
import { en } from './en';
import { es } from './es';
import { fill } from './fill';
import { en as pages } from './pages/en';
import talkSource from './en.ts?raw';
import type { Text } from './types';

const languages = { en, de, es } as Record<string, Record<string, Text>>;

const forms = (t: Text | undefined): [string, string][] => (t === undefined ? [] : typeof t === 'string' ? [['', t]] : Object.entries(t));
const names = (s: string): string[] => [...new Set([...s.matchAll(/\{(\w+)\}/g)].map((m) => m[1] as string))].sort();

describe('texts', () => {
  it('have the same keys in every language', () => {
    for (const texts of Object.values(languages)) expect(Object.keys(texts).sort()).toEqual(Object.keys(en).sort());
  });

  it('have no key both for the conversation and for the pages', () => {
    const own = [...talkSource.matchAll(/^ {2}'([^']+)':/gm)].map((m) => m[1] as string);
    expect(own.length).toBeGreaterThan(150);
    expect(own.filter((k) => k in pages)).toEqual([]);
  });

  // Spanish has a form for millions, which may be left to "other".
  it('count by the rules of their language', () => {
    for (const [language, texts] of Object.entries(languages)) {
      const wanted = new Intl.PluralRules(language).resolvedOptions().pluralCategories.filter((c) => c !== 'many');
      for (const [key, text] of Object.entries(texts)) {
        if (typeof text !== 'string') expect([language, key, Object.keys(text).filter((c) => c !== 'many').sort()]).toEqual([language, key, [...wanted].sort()]);
      }
    }
  });

  it('take the same values, say something, and keep the tone', () => {
    for (const [language, texts] of Object.entries(languages)) {
      for (const [key, text] of Object.entries(texts)) {
        const english = names(forms(languages.en?.[key]).map(([, s]) => s).join(' '));
        for (const [form, s] of forms(text)) {
          expect(s.trim(), `${language} ${key}`).not.toBe('');
          expect(s, `${language} ${key}`).not.toMatch(/[!¡]|\b[Pp]lease\b|\b[Oo]ops\b|\bSotto\b/);
          // A form for one may leave the number out.
          for (const name of names(s)) expect(english, `${language} ${key} ${form}`).toContain(name);
          if (form !== 'one') for (const name of english) if (name !== 'n') expect(names(s), `${language} ${key} ${form}`).toContain(name);
        }
      }
    }
  });

  it('are translated', () => {
    for (const language of ['de', 'es']) {
      const words = (s: string): number => s.replace(/\{\w+\}/g, '').match(/\p{L}{3,}/gu)?.length ?? 0;
      const same = Object.entries(languages[language] ?? {}).filter(([k, v]) => typeof v === 'string' && v === languages.en?.[k] && words(v) > 1);
      expect([language, same.map(([k, v]) => [k, v])]).toEqual([language, [['first.say1', 'sotto voce:']]]);
    }
  });
});

describe('fill', () => {
  it('puts values in, and never looks inside of them', () => {
    expect(fill('{a} and {b}', (n) => (n === 'a' ? '{b}' : 'x'))).toBe('{b} and x');
    expect(fill('$& {a}', () => '$1')).toBe('$& $1');
  });
});
