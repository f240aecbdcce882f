/**
 * A QR code as one SVG path, of rows of 0 and 1 separated by newlines: each run of dark
 * modules of a row is one rectangle, one unit a module. Answers null for what is none.
 */
export function qrPath(rows: string): { size: number; path: string } | null {
  const lines = rows.trim().split('\n');
  const size = lines.length;
  if (size < 21 || size > 177 || lines.some((l) => l.length !== size || /[^01]/.test(l))) return null;
  let path = '';
  lines.forEach((line, y) => {
    for (const run of line.matchAll(/1+/g)) path += `M${run.index} ${y}h${run[0].length}v1h-${run[0].length}z`;
  });
  return { size, path };
}
