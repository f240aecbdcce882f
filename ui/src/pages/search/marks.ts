// A snippet in parts: what matches and what does not.

/** A part of a text. */
export interface Part {
  text: string;
  match: boolean;
}

/**
 * parts cuts a snippet at its marks: offsets in UTF-16 units, from, to, from, to, …; what is
 * out of order or outside counts as no mark.
 */
export function parts(snippet: string, marks: number[]): Part[] {
  const all: Part[] = [];
  let at = 0;
  for (let i = 0; i + 1 < marks.length; i += 2) {
    const from = marks[i]!;
    const to = Math.min(marks[i + 1]!, snippet.length);
    if (from < at || to <= from) continue;
    if (from > at) all.push({ text: snippet.slice(at, from), match: false });
    all.push({ text: snippet.slice(from, to), match: true });
    at = to;
  }
  if (at < snippet.length) all.push({ text: snippet.slice(at), match: false });
  return all;
}
