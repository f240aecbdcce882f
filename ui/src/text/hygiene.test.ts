import { describe, expect, it } from 'vitest';
import { clean, cut, isolated, monogram, oneLine, onlyEmoji, shortened } from './hygiene';

describe('hygiene', () => {
  it('leaves at most six marks on a letter', () => {
    expect(clean('a' + '\u0301'.repeat(10_000) + 'b')).toBe('a' + '\u0301'.repeat(6) + 'b');
    expect(clean('ก็้')).toBe('ก็้');
  });
  it('takes controls out and keeps tabs and lines', () => {
    expect(clean('invoice \u202Egpj.exe')).toBe('invoice gpj.exe');
    expect(clean('a\u0000b\u009bc\td\r\ne')).toBe('abc\td\ne');
  });
  it('isolates what could turn a sentence around, and nothing else', () => {
    expect(isolated('Ana')).toBe('Ana');
    expect(isolated('\u202Egnp.exe')).toBe('\u2068gnp.exe\u2069');
    expect(isolated('דנה')).toBe('\u2068דנה\u2069');
    expect(isolated('a\nb')).toBe('a b');
  });
  it('cuts at words and never inside of a character', () => {
    expect(cut('short', 10)).toBe('short');
    expect(cut('a'.repeat(300) + ' ' + 'b'.repeat(300), 400)).toBe('a'.repeat(300));
    expect(cut('🌿'.repeat(10), 5)).toBe('🌿🌿');
  });
  it('makes monograms', () => {
    expect(monogram('ana')).toBe('A');
    expect(monogram('  "émile"')).toBe('É');
    expect(monogram('👩‍👩‍👧 family')).toBe('👩‍👩‍👧');
    expect(monogram('')).toBe('');
    expect(monogram('e\u0301'.padEnd(1000, '\u0301')).length).toBeLessThan(10);
    expect(monogram('\u202Eabc')).toBe('A');
  });
  it('shortens names in the middle', () => {
    expect(shortened('a very long name of a lease, signed.pdf', 20)).toBe('a very lo…signed.pdf');
    expect(shortened('short.pdf', 20)).toBe('short.pdf');
  });
  it('knows emoji', () => {
    for (const s of ['🌿', '👍🏽', '👩‍👩‍👧', '❤️', '🇩🇪', '1️⃣', '🌿 🌿'.replace(' ', ''), '🏴󠁧󠁢󠁳󠁣󠁴󠁿']) expect([s, onlyEmoji(s)]).toEqual([s, true]);
    for (const s of ['', '1', '#', 'a', '🌿a', '🌿🌿🌿🌿', '12']) expect([s, onlyEmoji(s)]).toEqual([s, false]);
  });
  it('makes one line', () => expect(oneLine(' a\n\tb\u2028c\u0007 ')).toBe('a b c'));
});
