// A small PNG, made here: what people choose as pictures.

import { crc32, deflateSync } from 'node:zlib';

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}

/** picture is a PNG of a hill under a sky, in the colours that are given. */
export function picture(width: number, height: number, sky: readonly number[] = [214, 226, 233], hill: readonly number[] = [122, 146, 118]): Buffer {
  const raw = Buffer.alloc((width * 3 + 1) * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const edge = height * (0.62 - 0.16 * Math.sin((x / width) * 4.2 + 0.5));
      const sun = Math.hypot(x - width * 0.7, y - height * 0.3) < height * 0.11;
      raw.set(sun ? [247, 214, 160] : y > edge ? hill : sky, y * (width * 3 + 1) + 1 + x * 3);
    }
  }
  return png(width, height, deflateSync(raw));
}

/** png is a picture of 8 bit RGB rows, each with its filter byte, compressed. */
export function png(width: number, height: number, data: Buffer): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), chunk('IHDR', head), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))]);
}
