// Blocks of a message's Markdown: paragraphs, quotes, lists and fenced code, a subset of
// CommonMark 0.31 as people write it in messages. A line end is a line break; headings,
// tables, pictures and HTML are none of it and stay as they were typed.

import { inlines } from './inline';
import type { Block } from './tree';

/** Quotes and lists nest so deep; what is deeper stays text. */
const maxDepth = 6;
/** At most so many blocks are laid out. */
const maxBlocks = 5_000;

const fence = /^ {0,3}(`{3,}|~{3,})[ \t]*([^`\n]*)$/;
const quote = /^ {0,3}>/;
const bullet = /^( {0,3})([-*+]|\d{1,9}[.)])( {1,4}|\t)(?=\S)/;

interface Budget {
  blocks: number;
}

/** markdown reads a message's text, which hygiene.clean has cleaned. */
export function markdown(text: string): Block[] {
  return blocks(text.split('\n'), 0, { blocks: maxBlocks });
}

function blocks(lines: string[], depth: number, budget: Budget): Block[] {
  const out: Block[] = [];
  let i = 0;
  while (i < lines.length) {
    const line = lines[i] as string;
    if (line.trim() === '') {
      i++;
      continue;
    }
    if (budget.blocks-- <= 0) {
      out.push({ t: 'p', c: [{ t: 'text', text: lines.slice(i).join('\n') }] });
      break;
    }
    const opening = fence.exec(line);
    if (opening && !(opening[1]?.startsWith('`') && opening[2]?.includes('`'))) {
      i = fenced(lines, i, opening, out);
    } else if (depth < maxDepth && quote.test(line)) {
      const inside: string[] = [];
      while (i < lines.length && quote.test(lines[i] as string)) inside.push((lines[i++] as string).replace(/^ {0,3}> ?/, ''));
      out.push({ t: 'quote', c: blocks(inside, depth + 1, budget) });
    } else if (depth < maxDepth && bullet.test(line)) {
      i = list(lines, i, depth, budget, out);
    } else {
      const from = i++;
      while (i < lines.length && !interrupts(lines[i] as string, depth)) i++;
      out.push({ t: 'p', c: inlines(lines.slice(from, i).join('\n')) });
    }
  }
  return out;
}

/** Whether a line ends the paragraph before it. Of numbered lists only one that begins at 1 does. */
function interrupts(line: string, depth: number): boolean {
  if (line.trim() === '' || fence.test(line)) return true;
  if (depth >= maxDepth) return false;
  if (quote.test(line)) return true;
  const item = bullet.exec(line);
  return item !== null && (!/\d/.test(item[2] as string) || Number.parseInt(item[2] as string, 10) === 1);
}

function fenced(lines: string[], from: number, opening: RegExpExecArray, out: Block[]): number {
  const marker = opening[1] as string;
  const closing = new RegExp(`^ {0,3}${marker[0] === '`' ? '`' : '~'}{${Math.min(marker.length, 1000)},}[ \\t]*$`);
  let end = from + 1;
  while (end < lines.length && !closing.test(lines[end] as string)) end++;
  const language = (opening[2] ?? '').trim().split(/\s+/)[0] ?? '';
  out.push({ t: 'pre', language: language.slice(0, 24), text: lines.slice(from + 1, end).join('\n') });
  return Math.min(end + 1, lines.length);
}

/** The kind of a list: its bullet, or the sign after the number. */
const kind = (marker: string): string => marker.at(-1) as string;

function list(lines: string[], from: number, depth: number, budget: Budget, out: Block[]): number {
  const first = bullet.exec(lines[from] as string) as RegExpExecArray;
  const marker = first[2] as string;
  const items: Block[][] = [];
  let i = from;
  while (i < lines.length) {
    const m = bullet.exec(lines[i] as string);
    if (!m || kind(m[2] as string) !== kind(marker) || /\d/.test(m[2] as string) !== /\d/.test(marker)) break;
    const indent = m[0].length;
    const inside = [(lines[i++] as string).slice(indent)];
    while (i < lines.length) {
      const line = lines[i] as string;
      if (line.trim() === '') {
        // A blank line belongs to the item when an indented one follows.
        const next = lines[i + 1];
        if (next === undefined || next.trim() === '' || !indented(next, indent)) break;
        inside.push('');
        i++;
      } else if (indented(line, indent)) {
        inside.push(line.replace(new RegExp(`^ {1,${Math.min(indent, 20)}}`), '').replace(/^\t/, ''));
        i++;
      } else if (!interrupts(line, depth) && !bullet.test(line)) {
        inside.push(line.trimStart()); // a lazy line goes on with the item
        i++;
      } else break;
    }
    items.push(blocks(inside, depth + 1, budget));
    // One blank line between items does not end the list.
    if (lines[i]?.trim() === '' && lines[i + 1] !== undefined && bullet.test(lines[i + 1] as string)) i++;
  }
  out.push({ t: 'list', start: /\d/.test(marker) ? Number.parseInt(marker, 10) : undefined, items });
  return i;
}

function indented(line: string, indent: number): boolean {
  return line.startsWith('\t') || line.startsWith(' '.repeat(Math.min(indent, 2)));
}

/** plain is the text of a message on one line, without its Markdown: for rows, quotes, notices. */
export function plain(text: string, max = 300): string {
  const parts: string[] = [];
  const walkInline = (c: ReturnType<typeof inlines>): void => {
    for (const n of c) {
      if (n.t === 'text' || n.t === 'code' || n.t === 'mention') parts.push(n.text);
      else if (n.t === 'br') parts.push(' ');
      else walkInline(n.c);
    }
  };
  const walk = (c: Block[]): void => {
    for (const b of c) {
      if (b.t === 'p') walkInline(b.c);
      else if (b.t === 'pre') parts.push(b.text);
      else if (b.t === 'quote') walk(b.c);
      else for (const item of b.items) walk(item);
      parts.push(' ');
    }
  };
  walk(markdown(text.slice(0, max * 4)));
  return parts.join('').replace(/\s+/g, ' ').trim().slice(0, max);
}
