// Mentions: in the field they read @Ana; in a message they are links to an account,
// [@Ana](sotto:a/…), as internal/client names accounts in message content.

import { textOf } from '../text/inline';
import { inlines } from '../text/inline';

export interface Named {
  account: string;
  name: string;
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** An account as message content names it: base32 without padding, lower case (RFC 4648). */
export function base32(hex: string): string {
  let out = '';
  let bits = 0;
  let n = 0;
  for (let i = 0; i + 1 < hex.length; i += 2) {
    n = (n << 8) | Number.parseInt(hex.slice(i, i + 2), 16);
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      out += alphabet[(n >> bits) & 31];
    }
    n &= (1 << bits) - 1;
  }
  if (bits > 0) out += alphabet[(n << (5 - bits)) & 31];
  return out;
}

/** Code is left alone: spans and fenced blocks. */
const code = /(```[\s\S]*?(?:```|$)|`[^`\n]*`)/;

/** written turns @Name of somebody in the room into a mention. The longest name counts. */
export function written(text: string, members: readonly Named[]): string {
  const names = members.filter((m) => m.name).sort((a, b) => b.name.length - a.name.length);
  if (!names.length || !text.includes('@')) return text;
  return text
    .split(code)
    .map((part, i) => (i % 2 ? part : mention(part, names)))
    .join('');
}

function mention(text: string, names: readonly Named[]): string {
  let out = '';
  let at = 0;
  for (let i = text.indexOf('@'); i >= 0; i = text.indexOf('@', i + 1)) {
    if (i < at || /[\p{L}\p{N}_[\\]/u.test(text[i - 1] ?? '')) continue;
    const rest = text.slice(i + 1);
    const hit = names.find((n) => rest.toLowerCase().startsWith(n.name.toLowerCase()) && !/^[\p{L}\p{N}_]/u.test(rest.slice(n.name.length)));
    if (!hit) continue;
    const name = hit.name.replace(/[\\`*_{}[\]()<>#+!|~&-]/g, '\\$&');
    out += `${text.slice(at, i)}[@${name}](sotto:a/${base32(hit.account)})`;
    at = i + 1 + hit.name.length;
  }
  return out + text.slice(at);
}

/** edited turns the mentions of a message back into what stands in the field. */
export function edited(text: string): string {
  return text.replace(/\[(@(?:\\.|[^\]\\\n])*)\]\(sotto:a\/[a-z2-7]+\)/g, (_, label: string) => textOf(inlines(label)));
}

/** What is being typed after an @, at the place of the caret: from where, and the letters. */
export function typing(text: string, caret: number): { from: number; query: string } | undefined {
  const m = /(?:^|[^\p{L}\p{N}_])@([\p{L}\p{N}\p{M}_.' -]{0,40})$/u.exec(text.slice(Math.max(0, caret - 60), caret));
  if (!m) return undefined;
  const query = m[1] as string;
  return / {2}| .* .* /.test(query) ? undefined : { from: caret - query.length - 1, query };
}

/** The people a query may mean, the best first. */
export function matching<T extends Named>(query: string, members: readonly T[], max = 6): T[] {
  const q = query.trim().toLowerCase();
  const rank = (n: T): number => {
    const name = n.name.toLowerCase();
    if (name.startsWith(q)) return 0;
    return name.split(/\s+/).some((w) => w.startsWith(q)) ? 1 : 2;
  };
  return members.filter((m) => rank(m) < 2).sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name)).slice(0, max);
}
