// Which rows of a long list are in the page: those in view and some beyond.

export interface Span {
  from: number;
  to: number;
}

/** Rows beyond the view, on each side. */
const beyond = 8;

/**
 * offsets are where rows of given heights begin; the last is where they end.
 */
export function offsets(heights: readonly number[]): number[] {
  const out = [0];
  for (const h of heights) out.push((out.at(-1) as number) + h);
  return out;
}

/** visible is the span of rows that a view of a height at a scroll position shows. */
export function visible(starts: readonly number[], top: number, height: number): Span {
  const n = starts.length - 1;
  const from = at(starts, top);
  const to = at(starts, top + height) + 1;
  return { from: Math.max(0, from - beyond), to: Math.min(n, to + beyond) };
}

/** The row at a position. */
function at(starts: readonly number[], y: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] as number) <= y) low = middle;
    else high = middle - 1;
  }
  return low;
}
