// Links: which addresses are followed at all, where they lead, and whether their text
// pretends otherwise. Nothing is fetched: what is judged here is judged by its letters.

import type { Leads } from './tree';

/** Longer addresses stay text. */
export const maxAddress = 2048;

/** Something that looks like a host with a known kind of ending: what a reader takes for an address. */
const looksLikeHost = /(?:^|[\s(<"'“‘@/])((?:[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}-]{0,61}[\p{L}\p{N}\p{M}])?\.)+(?:\p{L}{2,24}|xn--[a-z0-9-]{2,59}))(?![\p{L}\p{N}@-])/gu;

/** leads judges a link. Undefined: not an address that sotto follows; it stays text. */
export function leads(destination: string, text: string): Leads | undefined {
  const raw = destination.trim();
  if (!raw || raw.length > maxAddress || /[\s\u0000-\u001f\u007f<>\\]/.test(raw)) return undefined;
  // Before anything is parsed: only these, and never one that is relative to where we are.
  if (!/^(?:https?:\/\/|mailto:)/i.test(raw)) return undefined;
  let url: URL;
  try {
    url = new URL(raw);
  } catch {
    return undefined;
  }
  if (url.protocol === 'mailto:') {
    // Only the address: a mailto link may carry a whole letter that nobody has read.
    const address = url.pathname;
    if (!/^[^@\s]+@[^@\s]+$/.test(address)) return undefined;
    return judge('mailto:' + address, address, text);
  }
  if (!url.hostname) return undefined;
  return judge(url.href, url.host, text, url);
}

function judge(href: string, where: string, text: string, url?: URL): Leads {
  const shown = text.replace(/[\u061C\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF\u00AD]/g, '').trim();
  const bare = same(shown, href) || same(shown, where);
  const found: Leads = { href, where, bare };
  // https://example.org@evil.example/ reads as the first and leads to the second.
  if (url?.username) {
    let name = url.username;
    try {
      name = decodeURIComponent(name);
    } catch {
      // as it stands
    }
    found.reads = name.slice(0, 80);
    found.bare = false;
    return found;
  }
  const host = where.includes('@') ? where.slice(where.lastIndexOf('@') + 1) : where.replace(/:\d+$/, '');
  looksLikeHost.lastIndex = 0;
  for (const match of shown.matchAll(looksLikeHost)) {
    const reads = match[1] ?? '';
    // Letters of another alphabet look like Latin ones: the reader is told what they are.
    if (!sameHost(reads, host) || /[^\u0000-\u007f]/.test(reads)) {
      found.reads = reads.slice(0, 80);
      found.bare = false;
      break;
    }
  }
  return found;
}

function same(text: string, address: string): boolean {
  const norm = (s: string): string => s.toLowerCase().replace(/^(?:https?:\/\/|mailto:)/, '').replace(/\/$/, '');
  return norm(text) === norm(address);
}

/** A host with or without www., and hosts under the one that the text names, are the same. */
function sameHost(reads: string, host: string): boolean {
  const a = reads.toLowerCase().replace(/^www\./, '');
  const b = host.toLowerCase().replace(/^www\./, '');
  return a === b || b.endsWith('.' + a);
}

/** Where an address begins in running text. */
const begins = /(?<![\p{L}\p{N}_])(?:https?:\/\/|www\.)/giu;

/** Characters that end an address in running text. */
const ends = /[\s<>"\u0000-\u001f\u007f\u061C\u200B-\u200F\u2028-\u202F\u2060-\u2069\uFEFF]/;

/** An address in running text: from and to are offsets. */
export interface Found {
  from: number;
  to: number;
  href: string;
}

/**
 * addresses finds http and https addresses in running text (like GFM's extended autolinks,
 * section 6.9): without the punctuation that closes a sentence, and without a closing
 * bracket that was opened before it.
 */
export function addresses(text: string): Found[] {
  const found: Found[] = [];
  begins.lastIndex = 0;
  for (let m = begins.exec(text); m; m = begins.exec(text)) {
    const from = m.index;
    let to = from;
    while (to < text.length && to - from <= maxAddress && !ends.test(text[to] as string) && !(text[to] === ']' && text[to + 1] === '(')) to++;
    if (to - from > maxAddress) {
      begins.lastIndex = to;
      continue;
    }
    let open = 0;
    for (let i = from; i < to; i++) {
      if (text[i] === '(') open++;
      else if (text[i] === ')' && --open < 0) to = i;
    }
    while (to > from && /[?!.,:;*_~'"’”»)\]}]/.test(text[to - 1] as string)) {
      if (text[to - 1] === ')' && count(text, '(', from, to) >= count(text, ')', from, to)) break;
      to--;
    }
    const address = text.slice(from, to);
    const href = /^www\./i.test(address) ? 'https://' + address : address;
    if (to > from + m[0].length && leads(href, address)) found.push({ from, to, href });
    begins.lastIndex = Math.max(to, from + m[0].length);
  }
  return found;
}

function count(text: string, c: string, from: number, to: number): number {
  let n = 0;
  for (let i = from; i < to; i++) if (text[i] === c) n++;
  return n;
}
