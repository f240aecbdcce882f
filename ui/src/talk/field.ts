// What the keyboard does to the text of the field: marks around what is chosen.

export interface Edited {
  text: string;
  from: number;
  to: number;
}

/** wrap puts a Markdown mark around what is chosen, or takes it away when it is there. */
export function wrap(text: string, from: number, to: number, mark: string): Edited {
  const n = mark.length;
  const inside = text.slice(from, to);
  if (text.slice(from - n, from) === mark && text.slice(to, to + n) === mark && !beyond(text, from - n, to + n, mark)) {
    return { text: text.slice(0, from - n) + inside + text.slice(to + n), from: from - n, to: to - n };
  }
  if (inside.length >= 2 * n && inside.startsWith(mark) && inside.endsWith(mark)) {
    const bare = inside.slice(n, -n);
    return { text: text.slice(0, from) + bare + text.slice(to), from, to: from + bare.length };
  }
  // White space at the edges stays outside: a mark beside it would mean nothing.
  const lead = inside.length - inside.trimStart().length;
  const core = inside.trim();
  const start = from + (core ? lead : 0);
  const end = start + core.length;
  return { text: text.slice(0, start) + mark + core + mark + text.slice(end), from: start + n, to: end + n };
}

/** ** around a text is not two times *. */
function beyond(text: string, before: number, after: number, mark: string): boolean {
  return mark === '*' && text[before - 1] === '*' && text[after] === '*' && text[before - 2] !== '*';
}

/** code marks several lines as a block and one as a span. */
export function code(text: string, from: number, to: number): Edited {
  if (!text.slice(from, to).includes('\n')) return wrap(text, from, to, '`');
  const before = from > 0 && text[from - 1] !== '\n' ? '\n```\n' : '```\n';
  const after = to < text.length && text[to] !== '\n' ? '\n```\n' : '\n```';
  return { text: text.slice(0, from) + before + text.slice(from, to) + after + text.slice(to), from: from + before.length, to: to + before.length };
}
