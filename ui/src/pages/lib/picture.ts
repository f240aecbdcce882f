// Pictures of people and rooms: cropped to a square and encoded anew, so that nothing of
// what a camera or a program wrote beside the pixels (place, time, owner) is left.

/** What the interface takes: at most 32 KiB (api.Profile, api.RoomChange). */
export const maxPicture = 32 * 1024;

/** Larger files are not even decoded: 64 MiB. */
const maxFile = 64 << 20;

/** A part of a picture in its own pixels. */
export interface Square {
  x: number;
  y: number;
  size: number;
}

/** readPicture decodes a file, turned as its camera held it. Throws when it is no picture. */
export async function readPicture(file: Blob): Promise<ImageBitmap> {
  if (file.size > maxFile) throw new RangeError('too large');
  return createImageBitmap(file, { imageOrientation: 'from-image' });
}

/** The largest square in the middle. */
export function middle(width: number, height: number): Square {
  const size = Math.min(width, height);
  return { x: (width - size) / 2, y: (height - size) / 2, size };
}

/** keepInside moves and shrinks a square so that it lies inside the picture. */
export function keepInside(s: Square, width: number, height: number): Square {
  const size = Math.max(1, Math.min(s.size, width, height));
  return {
    x: Math.min(Math.max(0, s.x), width - size),
    y: Math.min(Math.max(0, s.y), height - size),
    size,
  };
}

/** zoomed is a square of another size around the same middle. */
export function zoomed(s: Square, size: number, width: number, height: number): Square {
  return keepInside({ x: s.x + (s.size - size) / 2, y: s.y + (s.size - size) / 2, size }, width, height);
}

/** Sizes in pixels and qualities, from the best: the first that fits is taken. */
const sizes = [384, 256, 192, 128, 96];
const qualities = [0.86, 0.74, 0.6, 0.45];

/**
 * encodeSquare draws a square of a picture and encodes it as WebP, or as JPEG where the
 * browser writes no WebP, in at most max bytes.
 */
export async function encodeSquare(picture: ImageBitmap, s: Square, max = maxPicture): Promise<Blob> {
  for (const size of sizes) {
    const canvas = new OffscreenCanvas(size, size);
    const context = canvas.getContext('2d');
    if (!context) throw new Error('no canvas');
    context.imageSmoothingQuality = 'high';
    // What is transparent becomes white: JPEG has no transparency, and round frames show none.
    context.fillStyle = 'white';
    context.fillRect(0, 0, size, size);
    context.drawImage(picture, s.x, s.y, s.size, s.size, 0, 0, size, size);
    for (const quality of qualities) {
      let blob = await canvas.convertToBlob({ type: 'image/webp', quality });
      if (blob.type !== 'image/webp') blob = await canvas.convertToBlob({ type: 'image/jpeg', quality });
      if (blob.size <= max) return blob;
    }
  }
  throw new RangeError('does not fit');
}

/** base64 is how bytes stand in JSON. */
export async function base64(blob: Blob): Promise<string> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = '';
  for (const b of bytes) text += String.fromCharCode(b);
  return btoa(text);
}
