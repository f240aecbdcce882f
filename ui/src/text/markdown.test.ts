import { describe, expect, it } from 'vitest';
import { clean } from './hygiene';
import { markdown, plain } from './markdown';
import type { Block, Inline } from './tree';

declare const process: { cpuUsage(since?: { user: number }): { user: number } };

/** A tree as a short text: <em>…</em> and so on, for reading in tests alone. */
function show(blocks: Block[]): string {
  return blocks.map(block).join('');
}
function block(b: Block): string {
  if (b.t === 'p') return `(p ${inline(b.c)})`;
  if (b.t === 'pre') return `(pre ${b.language}|${b.text})`;
  if (b.t === 'quote') return `(q ${show(b.c)})`;
  return `(${b.start === undefined ? 'ul' : `ol${b.start}`} ${b.items.map((i) => `{${show(i)}}`).join('')})`;
}
function inline(c: Inline[]): string {
  return c
    .map((n) => {
      if (n.t === 'text') return n.text;
      if (n.t === 'br') return '⏎';
      if (n.t === 'code') return `«${n.text}»`;
      if (n.t === 'mention') return `@(${n.account} ${n.text})`;
      if (n.t === 'link') return `[${inline(n.c)} → ${n.link.href}${n.link.reads ? ` reads ${n.link.reads}` : ''}]`;
      return `(${n.t} ${inline(n.c)})`;
    })
    .join('');
}
const tree = (s: string): string => show(markdown(clean(s)));

describe('markdown', () => {
  const cases: [string, string][] = [
    ['hello', '(p hello)'],
    ['a\nb', '(p a⏎b)'],
    ['a\n\nb', '(p a)(p b)'],
    ['*em* and **strong** and ~~gone~~', '(p (em em) and (strong strong) and (del gone))'],
    ['_em_ and __strong__', '(p (em em) and (strong strong))'],
    ['***both***', '(p (em (strong both)))'],
    ['snake_case_name and 2*3*4', '(p snake_case_name and 2(em 3)4)'],
    ['**open', '(p **open)'],
    ['a * b * c', '(p a * b * c)'],
    ['*a **b* c**', '(p (em a (em (em b) c)))'],
    ['~one~ ~~~no', '(p ~one~ ~~~no)'],
    ['`code *not em*` and ``a ` b``', '(p «code *not em*» and «a ` b»)'],
    ['`open', '(p `open)'],
    ['\\*not em\\* \\\\', '(p *not em* \\)'],
    ['```go\nfunc main() {}\n\n*x*\n```\nafter', '(pre go|func main() {}\n\n*x*)(p after)'],
    ['```\nnever closed', '(pre |never closed)'],
    ['text\n```\ncode\n```', '(p text)(pre |code)'],
    ['~~~\n```\n~~~', '(pre |```)'],
    ['> quoted\n> more\nafter', '(q (p quoted⏎more))(p after)'],
    ['> > twice', '(q (q (p twice)))'],
    ['- one\n- two', '(ul {(p one)}{(p two)})'],
    ['- one\n  - inner\n- two', '(ul {(p one)(ul {(p inner)})}{(p two)})'],
    ['3. three\n4. four', '(ol3 {(p three)}{(p four)})'],
    ['It was in\n1986. Long ago', '(p It was in⏎1986. Long ago)'],
    ['list:\n- a', '(p list:)(ul {(p a)})'],
    ['-no list', '(p -no list)'],
    ['# no heading', '(p # no heading)'],
    ['<b>no html</b> &amp; <script>', '(p <b>no html</b> &amp; <script>)'],
    ['see https://example.org/a_b_c.', '(p see [https://example.org/a_b_c → https://example.org/a_b_c].)'],
    ['(https://example.org/a_(b))', '(p ([https://example.org/a_(b) → https://example.org/a_(b)]))'],
    ['www.example.org, too', '(p [www.example.org → https://www.example.org/], too)'],
    ['**https://example.org**', '(p (strong [https://example.org → https://example.org/]))'],
    ['<https://example.org>', '(p [https://example.org → https://example.org/])'],
    ['[here](https://example.org/x)', '(p [here → https://example.org/x])'],
    ['[here](<https://example.org/x> "title")', '(p [here → https://example.org/x])'],
    ['[a **b**](https://example.org)', '(p [a (strong b) → https://example.org/])'],
    ['[a [b](https://b.example) c](https://c.example)', '(p [a [b → https://b.example/] c]([https://c.example → https://c.example/]))'],
    ['![alt](https://example.org/x.png)', '(p [alt → https://example.org/x.png])'],
    ['[x](javascript:alert(1))', '(p [x](javascript:alert(1)))'],
    ['[x](JaVaScRiPt:alert(1)) [y](data:text/html,z) [z](vbscript:q)', '(p [x](JaVaScRiPt:alert(1)) [y](data:text/html,z) [z](vbscript:q))'],
    ['[x](/local) [y](//evil.example) [z](https:evil.example)', '(p [x](/local) [y](//evil.example) [z](https:evil.example))'],
    ['[x](file:///etc/passwd) [y](blob:https://a.example/1)', '(p [x](file:///etc/passwd) [y](blob:https://a.example/1))'],
    ['[mail](mailto:ana@example.org?subject=x&bcc=evil@example.net)', '(p [mail → mailto:ana@example.org])'],
    ['[example.org](https://examp1e.example/)', '(p [example.org → https://examp1e.example/ reads example.org])'],
    ['[https://example.org](https://evil.example)', '(p [https://example.org → https://evil.example/ reads example.org])'],
    ['[www.example.org](https://example.org/x)', '(p [www.example.org → https://example.org/x])'],
    ['[ex\u202Eample.\u200borg](https://evil.example)', '(p [example.\u200borg → https://evil.example/ reads example.org])'],
    ['https://example.org@evil.example/', '(p [https://example.org@evil.example/ → https://example.org@evil.example/ reads example.org])'],
    ['https://аррӏе.com/', '(p [https://аррӏе.com/ → https://xn--80ak6aa92e.com/ reads аррӏе.com])'],
    ['[@Ana](sotto:a/abcd234) hi', '(p @(abcd234 @Ana) hi)'],
    ['[@Ana](sotto:a/ABC!) hi', '(p [@Ana](sotto:a/ABC!) hi)'],
    ['a\r\nb\u2028c', '(p a⏎b⏎c)'],
    ['nul\u0000 bell\u0007', '(p nul bell)'],
  ];
  it.each(cases)('%j', (from, to) => expect(tree(from)).toBe(to));

  it('is one plain line for rows', () => {
    expect(plain('**Hello**\n> there\n- [x](https://example.org) `y`')).toBe('Hello there x y');
  });
});

describe('hostile input', () => {
  const long: Record<string, string> = {
    asterisks: '*'.repeat(100_000),
    'openers and closers': '*a '.repeat(30_000) + 'a* '.repeat(30_000),
    'mixed delimiters': '*_~~'.repeat(25_000),
    'nested strong': '**a'.repeat(20_000) + '**'.repeat(20_000),
    brackets: '['.repeat(100_000),
    'brackets closed': '[a]('.repeat(25_000),
    'empty links': '[](x)'.repeat(20_000),
    'nested links': '['.repeat(20_000) + '](https://a.example)'.repeat(10_000),
    angles: '<'.repeat(100_000),
    backticks: Array.from({ length: 440 }, (_, i) => '`'.repeat(i + 1)).join(' '),
    'many backticks': '` '.repeat(50_001),
    quotes: '> '.repeat(50_000) + 'x',
    lists: Array.from({ length: 3000 }, (_, i) => ' '.repeat(i % 200) + '- x').join('\n'),
    fences: '```\n'.repeat(30_000),
    addresses: 'https://'.repeat(20_000),
    dots: 'www.' + 'a.'.repeat(60_000),
    backslashes: '\\'.repeat(100_000),
    'one word': 'a'.repeat(200_000),
    marks: 'a' + '\u0301'.repeat(10_000),
    lines: '\n'.repeat(100_000),
    'host in text': '[' + 'a.'.repeat(50_000) + 'org](https://example.org)',
  };
  it.each(Object.entries(long))('%s are read in time', (_, text) => {
    // Processor time, so that a busy machine changes nothing; what grows with the square
    // of such lengths takes minutes.
    const begin = process.cpuUsage();
    markdown(clean(text.slice(0, 200_000)));
    expect(process.cpuUsage(begin).user / 1000).toBeLessThan(2_000);
  });

  /** The same numbers each time (mulberry32), so that a failure can be seen again. */
  function random(seed: number): () => number {
    return () => {
      seed = (seed + 0x6d2b79f5) | 0;
      let x = Math.imul(seed ^ (seed >>> 15), 1 | seed);
      x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
      return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
    };
  }
  const pieces = ['*', '**', '_', '~~', '`', '```', '\n', '\n\n', '> ', '- ', '1. ', '[', '](', ')', 'https://a.example', 'javascript:x', '<', '>', '\\', ' ', 'a', 'ä', '👩‍👩‍👧', '\u202e', '\u0301', '![', 'sotto:a/ab', '"', '(', 'www.', '@', '\ud800', '\t', '    '];

  function letters(blocks: Block[]): string {
    let out = '';
    const walk = (n: unknown): void => {
      if (Array.isArray(n)) n.forEach(walk);
      else if (n && typeof n === 'object') {
        if ('text' in n && typeof n.text === 'string') out += n.text;
        if ('link' in n) expect((n.link as { href: string }).href).toMatch(/^(https?:\/\/|mailto:)/);
        if ('c' in n) walk(n.c);
        if ('items' in n) walk(n.items);
      }
    };
    walk(blocks);
    return out;
  }

  it('keeps every letter, follows only known schemes, and ends, for 3,000 generated texts', () => {
    const r = random(20260725);
    for (let n = 0; n < 3_000; n++) {
      let text = '';
      for (let i = 0; i < 1 + r() * 40; i++) text += pieces[Math.floor(r() * pieces.length)];
      text = clean(text);
      const kept = letters(markdown(text));
      const count = (s: string): number => [...s].filter((c) => c === 'ä' || c === '👩').length;
      // A title and a destination are not shown: without links nothing may go missing.
      if (!text.includes('](') && !/(```|~~~)[^\n]*[ä👩]/u.test(text)) expect([text, count(kept)]).toEqual([text, count(text)]);
    }
  });
});
