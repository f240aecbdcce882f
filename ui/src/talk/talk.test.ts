import { describe, expect, it } from 'vitest';
import type { Message } from '../api/types';
import { code, wrap } from './field';
import { base32, edited, matching, typing, written } from './mentions';
import { again, rows } from './rows';
import * as win from './window';

const noon = new Date(2025, 5, 12, 12).getTime();
function message(pos: number, o: Partial<Message> = {}): Message {
  return { id: `m${pos}`, room: 'r', pos, kind: 'text', account: 'a', handle: 'a@x', name: 'Ana', tint: 1, own: false, text: `text ${pos}`, sent: noon + pos * 1000, state: 'received', seen: true, ...o };
}
const page = (from: number, to: number, all = 1000) => ({ messages: Array.from({ length: to - from }, (_, i) => message(from + i)), more_before: from > 1, more_after: to <= all });

describe('rows', () => {
  const look = (messages: Message[], unread?: string) => rows(messages, unread).map((r) => (r.kind === 'message' ? `${r.message.pos}${r.first ? '(' : ''}${r.last ? ')' : ''}` : r.kind));

  it('are runs of one person, cut by others, pauses, days and what failed', () => {
    expect(look([message(1), message(2), message(3, { account: 'b' }), message(4)])).toEqual(['day', '1(', '2)', '3()', '4()']);
    expect(look([message(1), message(2, { sent: noon + 10 * 60_000 })])).toEqual(['day', '1()', '2()']);
    expect(look([message(1), message(2, { sent: noon + 86_400_000 })])).toEqual(['day', '1()', 'day', '2()']);
    expect(look([message(1), message(2, { own: true, state: 'failed' }), message(3, { own: true, state: 'read' })])).toEqual(['day', '1()', '2()', '3()']);
    expect(look([message(1), message(2, { kind: 'event' }), message(3)])).toEqual(['day', '1()', 'event', '3()']);
  });
  it('say where what is unread begins', () => {
    expect(look([message(1), message(2), message(3)], 'm2')).toEqual(['day', '1()', 'unread', '2(', '3)']);
    expect(look([message(1)], 'elsewhere')).toEqual(['day', '1()']);
  });
  it('stay the same where nothing changed', () => {
    const messages = [message(1), message(2), message(3)];
    const before = rows(messages, undefined);
    const after = again(before, rows([...messages.slice(0, 2), { ...(messages[2] as Message), text: 'other' }, message(4)], undefined));
    expect(after[1]).toBe(before[1]);
    expect(after[2]).toBe(before[2]);
    expect(after[3]).not.toBe(before[3]);
  });
});

describe('the window', () => {
  it('slides and never grows beyond its size', () => {
    let w = win.whole(page(941, 1001));
    expect([w.moreBefore, w.moreAfter]).toEqual([true, false]);
    for (let from = 881; from > 0; from -= 60) w = win.older(w, page(Math.max(1, from), from + 60));
    expect(w.messages.length).toBe(win.maxShown);
    expect([win.firstPos(w), w.moreBefore, w.moreAfter]).toEqual([41, true, true]);
    for (let i = 0; i < 20; i++) {
      const after = win.lastPos(w);
      if (!w.moreAfter) break;
      w = win.newer(w, page(after + 1, Math.min(1001, after + 61)));
      expect(w.messages.length).toBeLessThanOrEqual(win.maxShown);
      expect(w.messages.map((m) => m.pos)).toEqual([...w.messages.map((m) => m.pos)].sort((a, b) => a - b));
    }
    expect([win.lastPos(w), w.moreAfter, w.moreBefore]).toEqual([1000, false, true]);
  });
  it('takes what arrives at its end, once, and only there', () => {
    let w = win.whole(page(991, 1001));
    w = win.arrived(win.arrived(w, message(1001)), message(1001));
    expect(w.messages.length).toBe(11);
    const back = win.older({ ...w, moreAfter: true }, page(981, 991));
    expect(win.arrived(back, message(1002))).toBe(back);
    for (let i = 1002; i < 2000; i++) w = win.arrived(w, message(i));
    expect(w.messages.length).toBeLessThanOrEqual(win.maxShown + win.pageSize);
    expect(w.moreBefore).toBe(true);
  });
  it('puts a message without a place last and moves it when it has one', () => {
    let w = win.whole({ messages: [message(1), message(2)], more_before: false, more_after: false });
    w = win.arrived(w, message(0, { id: 'own', own: true, state: 'queued' }));
    expect(w.messages.map((m) => m.id)).toEqual(['m1', 'm2', 'own']);
    w = win.arrived(w, message(4));
    expect(w.messages.map((m) => m.id)).toEqual(['m1', 'm2', 'm4', 'own']);
    w = win.changed(w, message(3, { id: 'own', own: true, state: 'stored' }));
    expect(w.messages.map((m) => m.id)).toEqual(['m1', 'm2', 'own', 'm4']);
    expect([win.firstPos(w), win.lastPos(w)]).toEqual([1, 4]);
  });
  it('lets a message go down, out of sight where newer ones are not here', () => {
    const w = win.whole({ messages: [message(1), message(2), message(3)], more_before: false, more_after: false });
    const down = message(4, { id: 'm1' });
    expect(win.changed(w, down).messages.map((m) => m.id)).toEqual(['m2', 'm3', 'm1']);
    const back = win.changed({ ...w, moreAfter: true }, down);
    expect(back.messages.map((m) => m.id)).toEqual(['m2', 'm3']);
    expect(win.lastPos(back)).toBe(3);
  });
  it('forgets what is gone, also where it was quoted', () => {
    const w = win.gone(win.whole({ messages: [message(1), message(2, { reply: { id: 'm1', name: 'Ana', own: false, text: 'secret' } })], more_before: false, more_after: false }), 'm1');
    expect(w.messages.map((m) => m.id)).toEqual(['m2']);
    expect(JSON.stringify(w)).not.toContain('secret');
    expect(win.gone(w, 'nobody')).toBe(w);
  });
});

describe('mentions', () => {
  const ana = { account: 'a1'.repeat(32), name: 'Ana' };
  const anna = { account: 'b2'.repeat(32), name: 'Ana Maria [x]' };
  it('name accounts as the protocol does (RFC 4648, vectors of section 10)', () => {
    expect(['', '66', '666f', '666f6f', '666f6f62', '666f6f6261', '666f6f626172'].map(base32)).toEqual(['', 'my', 'mzxq', 'mzxw6', 'mzxw6yq', 'mzxw6ytb', 'mzxw6ytboi']);
  });
  it('are written as links and come back as names', () => {
    const text = 'hi @ana, @Ana Maria [x] and mail@ana.example `@Ana` @Anabel';
    const out = written(text, [ana, anna]);
    expect(out).toBe(`hi [@Ana](sotto:a/${base32(ana.account)}), [@Ana Maria \\[x\\]](sotto:a/${base32(anna.account)}) and mail@ana.example \`@Ana\` @Anabel`);
    expect(edited(out)).toBe('hi @Ana, @Ana Maria [x] and mail@ana.example `@Ana` @Anabel');
    expect(written(out, [ana, anna])).toBe(out);
  });
  it('are offered while one types', () => {
    expect(typing('hello @an', 9)).toEqual({ from: 6, query: 'an' });
    expect(typing('@', 1)).toEqual({ from: 0, query: '' });
    expect(typing('mail@an', 7)).toBeUndefined();
    expect(matching('ma', [ana, anna]).map((m) => m.name)).toEqual(['Ana Maria [x]']);
    expect(matching('', [anna, ana]).map((m) => m.name)).toEqual(['Ana', 'Ana Maria [x]']);
  });
});

describe('the field', () => {
  it('marks what is chosen, and takes marks away', () => {
    expect(wrap('a word b', 2, 6, '**')).toEqual({ text: 'a **word** b', from: 4, to: 8 });
    expect(wrap('a **word** b', 4, 8, '**')).toEqual({ text: 'a word b', from: 2, to: 6 });
    expect(wrap('a **word** b', 2, 10, '**')).toEqual({ text: 'a word b', from: 2, to: 6 });
    expect(wrap('a **word** b', 4, 8, '*')).toEqual({ text: 'a ***word*** b', from: 5, to: 9 });
    expect(wrap('a  word  b', 2, 8, '*')).toEqual({ text: 'a  *word*  b', from: 4, to: 8 });
    expect(wrap('', 0, 0, '*')).toEqual({ text: '**', from: 1, to: 1 });
    expect(code('x', 0, 1).text).toBe('`x`');
    expect(code('a\nb', 0, 3).text).toBe('```\na\nb\n```');
  });
});
