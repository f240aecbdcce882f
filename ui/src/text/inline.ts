// Inlines of a paragraph: emphasis, strong, strike, code, links, addresses, mentions, line
// breaks, by CommonMark's delimiter stack (0.31, "Phase 2: inline structure"), whose lower
// bounds keep it linear also for ten thousand asterisks.

import { addresses, leads, maxAddress } from './links';
import type { Inline } from './tree';

/** Emphasis nests so deep; a browser's own limits lie far behind. */
const maxDepth = 24;
/** So many brackets may wait for their end; further ones are text. */
const maxBrackets = 1000;

interface Cell {
  node?: Inline;
  text: string;
  /** of delimiters: the character and how many are left */
  mark: string;
  left: number;
  opens: boolean;
  closes: boolean;
  depth: number;
  /** its place among the cells, growing along the chain */
  at: number;
  prev: Cell | undefined;
  next: Cell | undefined;
}

interface Bracket {
  cell: Cell;
  active: boolean;
  /** where the text after it begins */
  at: number;
}

const punctuation = /[\p{P}\p{S}]/u;
const escapable = /[!-/:-@[-`{-~]/;
const mentionOf = /^sotto:a\/([a-z2-7]{1,128})$/;

/** The text of a line's inlines without their marks. */
export function textOf(nodes: Inline[]): string {
  let out = '';
  for (const n of nodes) {
    if (n.t === 'text' || n.t === 'code' || n.t === 'mention') out += n.text;
    else if (n.t === 'br') out += ' ';
    else out += textOf(n.c);
  }
  return out;
}

export function inlines(text: string): Inline[] {
  return new Reader(text).read();
}

class Reader {
  #head: Cell = cell('');
  #tail: Cell = this.#head;
  #brackets: Bracket[] = [];
  #pos = 0;
  #plain = 0; // where the text that is not yet a cell begins
  /** Lengths of backtick runs that have no closing run after this position. */
  #noClose = new Map<number, number>();
  #addresses: ReturnType<typeof addresses>;
  #nextAddress = 0;

  constructor(private readonly s: string) {
    this.#addresses = addresses(s);
  }

  read(): Inline[] {
    const s = this.s;
    while (this.#pos < s.length) {
      const address = this.#addresses[this.#nextAddress];
      if (address && address.from < this.#pos) {
        this.#nextAddress++;
        continue;
      }
      // Inside of brackets an address is text: the link's own destination counts.
      if (address?.from === this.#pos) {
        this.#nextAddress++;
        this.#address(address.to, address.href);
        continue;
      }
      const c = s[this.#pos] as string;
      if (c === '\\') this.#escape();
      else if (c === '`') this.#code();
      else if (c === '*' || c === '_' || c === '~') this.#delimiters(c);
      else if (c === '[' || (c === '!' && s[this.#pos + 1] === '[')) this.#open(c);
      else if (c === ']') this.#close();
      else if (c === '<') this.#angle();
      else if (c === '\n') this.#line();
      else this.#pos++;
    }
    this.#flush();
    emphasis(this.#head);
    return collect(this.#head.next);
  }

  #append(c: Cell): Cell {
    c.prev = this.#tail;
    c.at = this.#tail.at + 1;
    this.#tail.next = c;
    this.#tail = c;
    return c;
  }

  /** The text up to here becomes a cell; to is where it goes on. */
  #flush(to = this.#pos): void {
    if (this.#pos > this.#plain) this.#append(cell(this.s.slice(this.#plain, this.#pos)));
    this.#pos = to;
    this.#plain = to;
  }

  #node(node: Inline, to: number): void {
    this.#flush(to);
    const c = cell('');
    c.node = node;
    this.#append(c);
  }

  #address(to: number, href: string): void {
    const text = this.s.slice(this.#pos, to);
    const link = leads(href, text);
    if (link) this.#node({ t: 'link', link, c: [{ t: 'text', text }] }, to);
    else this.#pos = to;
  }

  #escape(): void {
    const next = this.s[this.#pos + 1];
    if (next === '\n') this.#node({ t: 'br' }, this.#pos + 2);
    else if (next !== undefined && escapable.test(next)) {
      this.#flush(this.#pos + 1);
      this.#pos++; // the escaped character is text, whatever it is
    } else this.#pos++;
  }

  #code(): void {
    const s = this.s;
    let n = 1;
    while (s[this.#pos + n] === '`') n++;
    const known = this.#noClose.get(n);
    if (known === undefined || known > this.#pos) {
      for (let i = this.#pos + n; i < s.length; ) {
        const at = s.indexOf('`', i);
        if (at < 0) break;
        let m = 1;
        while (s[at + m] === '`') m++;
        if (m === n) {
          let text = s.slice(this.#pos + n, at).replace(/\n/g, ' ');
          if (text.length > 2 && text.startsWith(' ') && text.endsWith(' ') && text.trim()) text = text.slice(1, -1);
          this.#node({ t: 'code', text }, at + n);
          return;
        }
        i = at + m;
      }
      this.#noClose.set(n, this.#pos);
    }
    this.#pos += n;
  }

  /** A run of delimiters is left- or right-flanking by what stands around it. */
  #delimiters(c: string): void {
    const s = this.s;
    let n = 1;
    while (s[this.#pos + n] === c) n++;
    const before = before_(s, this.#pos);
    const after = after_(s, this.#pos + n);
    const spaceAfter = after === '' || /\s/.test(after);
    const spaceBefore = before === '' || /\s/.test(before);
    const left = !spaceAfter && (!punctuation.test(after) || spaceBefore || punctuation.test(before));
    const right = !spaceBefore && (!punctuation.test(before) || spaceAfter || punctuation.test(after));
    let opens = left;
    let closes = right;
    if (c === '_') {
      opens = left && (!right || punctuation.test(before));
      closes = right && (!left || punctuation.test(after));
    }
    if (c === '~' && n !== 2) opens = closes = false; // ~~strike~~ alone
    this.#flush(this.#pos + n);
    const d = cell(c.repeat(n));
    if (opens || closes) Object.assign(d, { mark: c, left: n, opens, closes });
    this.#append(d);
  }

  /** A picture is a link like any other here: nothing is ever loaded. */
  #open(c: string): void {
    const width = c === '!' ? 2 : 1;
    this.#flush(this.#pos + width);
    const opener = this.#append(cell(c === '!' ? '![' : '['));
    if (this.#brackets.length < maxBrackets) this.#brackets.push({ cell: opener, active: true, at: this.#pos });
  }

  #close(): void {
    const opener = this.#brackets.pop();
    if (!opener?.active) {
      this.#pos++;
      return;
    }
    const found = destination(this.s, this.#pos + 1);
    if (!found) {
      this.#pos++;
      return;
    }
    const label = this.s.slice(opener.at, this.#pos);
    const mention = mentionOf.exec(found.to);
    this.#flush(this.#pos);
    emphasis(opener.cell);
    const inner = collect(opener.cell.next);
    const text = textOf(inner) || label;
    const link = mention ? undefined : leads(found.to, text);
    if (!mention && !link) {
      // Not an address that is followed: it stays as it was typed.
      this.#plain = this.#pos;
      this.#pos = found.end;
      return;
    }
    // What was read since the opener is the link's own now.
    this.#tail = opener.cell;
    opener.cell.next = undefined;
    opener.cell.text = '';
    const c = cell('');
    c.node = mention ? { t: 'mention', account: mention[1] as string, text } : { t: 'link', link: link as NonNullable<typeof link>, c: unlinked(inner, found.to) };
    this.#append(c);
    this.#pos = this.#plain = found.end;
    for (const b of this.#brackets) b.active = false; // no links in links
  }

  /** <https://example.org> */
  #angle(): void {
    const near = this.s.slice(this.#pos + 1, this.#pos + 1 + maxAddress);
    const inside = near.slice(0, Math.max(0, near.indexOf('>')));
    const link = /^[a-z][a-z0-9+.-]{1,31}:[^\s<>]+$/i.test(inside) ? leads(inside, inside) : undefined;
    if (link) this.#node({ t: 'link', link, c: [{ t: 'text', text: inside }] }, this.#pos + inside.length + 2);
    else this.#pos++;
  }

  #line(): void {
    const at = this.#pos;
    let end = at;
    while (end > this.#plain && this.s[end - 1] === ' ') end--;
    this.#pos = end;
    this.#node({ t: 'br' }, at + 1);
  }
}

function cell(text: string): Cell {
  return { text, mark: '', left: 0, opens: false, closes: false, depth: 0, at: 0, prev: undefined, next: undefined };
}

/** The character before or after a place, whole also beyond the basic plane. */
function before_(s: string, at: number): string {
  if (at <= 0) return '';
  const unit = s.charCodeAt(at - 1);
  return unit >= 0xdc00 && unit < 0xe000 && at > 1 ? s.slice(at - 2, at) : (s[at - 1] as string);
}
function after_(s: string, at: number): string {
  const code = s.codePointAt(at);
  return code === undefined ? '' : String.fromCodePoint(code);
}

/** A destination at a place: (to), (<to>), with or without a title, which is not shown. */
function destination(s: string, at: number): { to: string; end: number } | undefined {
  if (s[at] !== '(') return undefined;
  const near = s.slice(at + 1, at + 1 + maxAddress + 256);
  let m = /^[ \t]*<([^<>\n]*)>/.exec(near);
  let to: string;
  let i: number;
  if (m) {
    to = m[1] as string;
    i = m[0].length;
  } else {
    m = /^[ \t]*/.exec(near) as RegExpExecArray;
    i = m[0].length;
    const from = i;
    let open = 0;
    for (; i < near.length; i++) {
      const c = near[i] as string;
      if (/[\s\u0000-\u001f]/.test(c)) break;
      if (c === '\\' && i + 1 < near.length) i++;
      else if (c === '(' && ++open > 32) return undefined; // CommonMark: at least three must do
      else if (c === ')' && open-- === 0) break;
    }
    to = near.slice(from, i).replace(/\\([!-/:-@[-`{-~])/g, '$1');
  }
  m = /^(?:[ \t]+(?:"[^"\n]{0,200}"|'[^'\n]{0,200}'))?[ \t]*\)/.exec(near.slice(i));
  return m && to ? { to, end: at + 1 + i + m[0].length } : undefined;
}

/** A link's text without links: addresses in it are text, whatever they promise. */
function unlinked(nodes: Inline[], to: string): Inline[] {
  const out: Inline[] = [];
  for (const n of nodes) {
    if (n.t === 'link') out.push(...unlinked(n.c, to));
    else if (n.t === 'em' || n.t === 'strong' || n.t === 'del') out.push({ t: n.t, c: unlinked(n.c, to) });
    else out.push(n);
  }
  return out.length ? out : [{ t: 'text', text: to }];
}

/** emphasis pairs the delimiters after a cell ("process emphasis"). */
function emphasis(from: Cell): void {
  /** Below these no opener of a kind was found: they bound the search. */
  const bottoms = new Map<string, number>();
  let closer = from.next;
  while (closer) {
    if (!closer.mark || !closer.closes) {
      closer = closer.next;
      continue;
    }
    const kind = closer.mark + (closer.opens ? 'o' : '') + (closer.left % 3);
    const bottom = Math.max(from.at, bottoms.get(kind) ?? 0);
    let opener: Cell | undefined = closer.prev;
    while (opener && opener.at > bottom) {
      if (opener.mark === closer.mark && opener.opens && fits(opener, closer)) break;
      opener = opener.prev;
    }
    if (!opener || opener.at <= bottom) {
      bottoms.set(kind, closer.prev?.at ?? 0);
      const next: Cell | undefined = closer.next;
      if (!closer.opens) closer.mark = '';
      closer = next;
      continue;
    }
    const n: number = closer.mark === '~' || (opener.left >= 2 && closer.left >= 2) ? 2 : 1;
    const depth = 1 + deepest(opener.next, closer);
    if (depth > maxDepth) {
      // Deeper than any text: the marks stay, and nothing pairs across this place.
      from = closer;
      closer = closer.next;
      continue;
    }
    const inner = collect(opener.next, closer);
    const made = cell('');
    made.depth = depth;
    made.at = closer.at;
    made.node = closer.mark === '~' ? { t: 'del', c: inner } : { t: n === 2 ? 'strong' : 'em', c: inner };
    made.prev = opener;
    made.next = closer;
    opener.next = made;
    closer.prev = made;
    for (const d of [opener, closer]) {
      d.left -= n;
      d.text = d.text.slice(n);
      if (d.left === 0) d.mark = '';
    }
    if (closer.left === 0) closer = closer.next;
  }
}

/** The "rule of three": a run that both opens and closes pairs only with a fitting length. */
function fits(opener: Cell, closer: Cell): boolean {
  if (closer.mark === '~') return opener.left === closer.left;
  return !((opener.closes || closer.opens) && (opener.left + closer.left) % 3 === 0 && (opener.left % 3 !== 0 || closer.left % 3 !== 0));
}

function deepest(from: Cell | undefined, end: Cell | undefined): number {
  let n = 0;
  for (let c = from; c && c !== end; c = c.next) n = Math.max(n, c.depth);
  return n;
}

/** The nodes of a chain of cells, with neighbouring texts joined. */
function collect(from: Cell | undefined, end?: Cell): Inline[] {
  const out: Inline[] = [];
  for (let c = from; c && c !== end; c = c.next) {
    if (c.node) out.push(c.node);
    else if (c.text) {
      const last = out.at(-1);
      if (last?.t === 'text') last.text += c.text;
      else out.push({ t: 'text', text: c.text });
    }
  }
  return out;
}
