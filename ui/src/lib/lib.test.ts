import { describe, expect, it } from 'vitest';
import { EventReader, pause } from '../api/events';
import { choose, localeOf } from '../i18n/choose';
import { href, openingToken, parse, type Place } from './place';
import { command } from './shortcuts';
import { often, Used } from './used';
import { offsets, visible } from './virtual';
import { clock, dayName, listTime, midnight, sameDay, span, untilMidnight } from './when';

describe('places', () => {
  const id = 'ab12'.repeat(8);
  const places: Place[] = [
    { at: 'talk' }, { at: 'room', room: id }, { at: 'room', room: id, message: id }, { at: 'about', room: id }, { at: 'to', handle: 'ana@example.org:8443' },
    { at: 'new', group: false }, { at: 'new', group: true }, { at: 'join', link: 'https://example.org/i#a/b?c&d' }, { at: 'requests' }, { at: 'requests', account: id },
    { at: 'person', account: id }, { at: 'compare', account: id }, { at: 'who', about: 'message', id }, { at: 'archive' }, { at: 'calls' }, { at: 'files' },
    { at: 'you' }, { at: 'you', section: 'privacy' },
  ];
  it.each(places)('%j has an address', (p) => {
    const u = new URL(href(p), 'http://localhost');
    expect(parse(u.pathname, u.search)).toEqual(p);
  });
  it('keeps what a search asks for', () => {
    const u = new URL(href({ at: 'search', text: 'a&b', room: id, from: 'me', after: 5, starred: true }), 'http://localhost');
    expect(parse(u.pathname, u.search)).toEqual({ at: 'search', text: 'a&b', room: id, from: 'me', after: 5, before: undefined, starred: true });
  });
  it('takes everything else for the list', () => {
    for (const path of ['/x', '/r/../../etc', '/r/NOTHEX', `/r/${id}/a/b`, '/who/everything/1', '/to/%E0%A4%A', '/r', '//evil.example/', '/join']) {
      expect([path, parse(path)]).toEqual([path, { at: 'talk' }]);
    }
  });
  it('finds the opening token', () => {
    expect(openingToken('#open=abc')).toBe('abc');
    expect(openingToken('#open=a%2Bb&x=1')).toBe('a+b');
    expect(openingToken('#other')).toBeUndefined();
  });
});

describe('times', () => {
  const at = (y: number, m: number, d: number, h = 0, min = 0): number => new Date(y, m - 1, d, h, min).getTime();
  const now = at(2025, 6, 12, 10, 2);
  it('are said as people do', () => {
    expect(clock('en-150', at(2025, 6, 12, 9, 5))).toBe('9:05');
    expect(clock('de', at(2025, 6, 12, 9, 5))).toBe('9:05');
    expect(dayName('en-150', now, now)).toBe('Thursday, 12 June');
    expect(dayName('en-150', at(2024, 6, 12), now)).toContain('2024');
    expect(dayName('es', now, now)).toBe('jueves, 12 de junio');
    expect(listTime('en-150', at(2025, 6, 12, 9, 58), now)).toBe('9:58');
    expect(listTime('en-150', at(2025, 6, 9), now)).toBe('Mon');
    expect(listTime('en-150', at(2025, 6, 3), now)).toBe('3 June');
    expect(listTime('en-150', at(2024, 6, 3), now)).toContain('2024');
    expect(listTime('en-150', 0, now)).toBe('');
    expect(listTime('en-150', at(2025, 6, 13), now)).toBe('13 June'); // a clock that goes wrong
  });
  it('know spans', () => {
    expect([0, 30, 300, 3600, 28_800, 86_400, 604_800, 2_419_200].map((s) => span('en-150', s))).toEqual(['0 seconds', '30 seconds', '5 minutes', '1 hour', '8 hours', '1 day', '1 week', '4 weeks']);
    expect(span('en-150', 604_800, true)).toBe('1w');
  });
  it('know days, also where the clocks change', () => {
    expect(sameDay(at(2025, 3, 30, 0, 1), at(2025, 3, 30, 23, 59))).toBe(true);
    expect(sameDay(at(2025, 3, 30, 23, 59), at(2025, 3, 31, 0, 0))).toBe(false);
    for (const d of [29, 30, 31]) expect(midnight(at(2025, 3, d, 1) + untilMidnight(at(2025, 3, d, 1)))).toBe(at(2025, 3, d + 1));
  });
});

describe('languages', () => {
  it('are chosen by the setting, then by the system', () => {
    expect(choose('de', ['es'])).toBe('de');
    expect(choose('', ['fr-FR', 'es-MX', 'en'])).toBe('es');
    expect(choose('', ['ja'])).toBe('en');
    expect(localeOf('en', ['en-US'])).toBe('en-US');
    expect(localeOf('en', ['de-DE', 'en'])).toBe('en-150');
    expect(localeOf('de', ['en-US', 'de-AT'])).toBe('de-AT');
  });
});

describe('a long list', () => {
  const starts = offsets([36, ...Array<number>(1000).fill(68)]);
  it('has only what is in view in the page', () => {
    expect(visible(starts, 0, 800)).toEqual({ from: 0, to: 21 });
    const middle = visible(starts, 34_000, 800);
    expect(middle.to - middle.from).toBeLessThan(32);
    expect((starts[middle.from] as number) <= 34_000 && (starts[middle.to] as number) >= 34_800).toBe(true);
    expect(visible(starts, 1e9, 800).to).toBe(1001);
    expect(visible(offsets([]), 0, 800)).toEqual({ from: 0, to: 0 });
  });
});

describe('events', () => {
  it('come whole, however the stream is cut', () => {
    const stream = 'data: {"type":"hello"}\n\n: a comment\r\nid: 7\r\ndata: {"a":\r\ndata: 1}\r\n\r\ndata: never ended';
    for (let size = 1; size < stream.length; size++) {
      const got: string[] = [];
      const reader = new EventReader((d) => got.push(d));
      for (let i = 0; i < stream.length; i += size) reader.feed(stream.slice(i, i + size));
      expect([size, got]).toEqual([size, ['{"type":"hello"}', '{"a":\n1}']]);
    }
  });
  it('refuse a line without end', () => {
    const reader = new EventReader(() => {});
    expect(() => {
      for (let i = 0; i < 100; i++) reader.feed('x'.repeat(100_000));
    }).toThrow();
  });
  it('are asked for ever more slowly', () => {
    expect([0, 1, 4, 5, 20].map((n) => pause(n, 0))).toEqual([250, 500, 4000, 8000, 8000]);
    expect(pause(20, 1)).toBe(10_000);
  });
});

describe('shortcuts', () => {
  const key = (code: string, o: Partial<KeyboardEvent> = {}): KeyboardEvent =>
    ({ code, key: code, ctrlKey: false, altKey: false, metaKey: false, shiftKey: false, target: null, ...o }) as KeyboardEvent;
  it('are those of the list', () => {
    expect(command(key('KeyK', { ctrlKey: true }), false)).toBe('find-all');
    expect(command(key('KeyK', { metaKey: true }), true)).toBe('find-all');
    expect(command(key('KeyK', { ctrlKey: true }), true)).toBeUndefined();
    expect(command(key('ArrowDown', { altKey: true }), false)).toBe('next');
    expect(command(key('ArrowDown', { altKey: true, shiftKey: true }), false)).toBe('unread');
    expect(command(key('ArrowDown', { altKey: true, ctrlKey: true }), true)).toBe('next');
    expect(command(key('KeyC', { altKey: true, shiftKey: true }), false)).toBe('video');
    expect(command(key('F6'), false)).toBe('ring');
    expect(command(key('Slash', { key: '?', shiftKey: true }), false)).toBe('list');
    expect(command(key('KeyT', { ctrlKey: true }), false)).toBeUndefined();
    expect(command(key('KeyN', { altKey: true, ctrlKey: true }), false)).toBeUndefined(); // AltGr N
  });
});

describe('use', () => {
  it('is told at once, then at most every half minute, and never without any', () => {
    const used = new Used();
    expect(used.tell(0)).toBe(false);
    expect(used.did(1)).toBe(true);
    expect(used.tell(1)).toBe(true);
    expect(used.tell(2)).toBe(false);
    expect([used.did(3), used.did(often)]).toEqual([false, false]);
    expect(used.did(often + 1)).toBe(true);
    expect([used.tell(often + 2), used.tell(2 * often)]).toEqual([true, false]);
  });
  it('goes along when something else is told', () => {
    const used = new Used();
    used.did(0);
    used.tell(0);
    expect(used.did(5)).toBe(false);
    expect(used.tell(6)).toBe(true);
  });
});
