import { deflateSync } from 'node:zlib';
import { png } from './picture';

/** qrPicture is a PNG of a code whose rows are of 0 and 1, with the quiet zone around it. */
export function qrPicture(rows: string, dot = 6): Buffer {
  const lines = rows.trim().split('\n');
  const size = (lines.length + 8) * dot;
  const raw = Buffer.alloc((size * 3 + 1) * size, 255);
  for (let y = 0; y < size; y++) {
    raw[y * (size * 3 + 1)] = 0;
    for (let x = 0; x < size; x++) {
      if (lines[Math.floor(y / dot) - 4]?.[Math.floor(x / dot) - 4] === '1') raw.fill(0, y * (size * 3 + 1) + 1 + x * 3, y * (size * 3 + 1) + 4 + x * 3);
    }
  }
  return png(size, size, deflateSync(raw));
}
