// What strangers write may try to break out of its place: with marks that turn the order
// of letters around, with heaps of combining marks, with a megabyte of text. Nothing is
// forbidden to be said; it only stays where it was said.

/** Characters that steer the direction of text (UAX 9): embeddings, overrides, isolates, marks. */
const steering = /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/g;

/** Overrides and embeddings alone, which reach beyond their line. */
const reaching = /[\u202A-\u202E\u2066-\u2069]/;

/** Letters that are written from right to left. */
const rightToLeft = /[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFC\u{10800}-\u{10FFF}\u{1E800}-\u{1EFFF}]/u;

/** Control characters, which no font shows: all but tab and line feed. */
const controls = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g;

/**
 * isolated makes a value safe to stand in a sentence of sotto's: one line, and between
 * isolates when it could turn the sentence around.
 */
export function isolated(value: string): string {
  const line = oneLine(value);
  return reaching.test(line) || rightToLeft.test(line) ? '\u2068' + line.replace(steering, '') + '\u2069' : line;
}

/** oneLine is text as a single line without control characters. */
export function oneLine(text: string): string {
  return text.replace(/[\s\u2028\u2029]+/g, ' ').replace(controls, '').trim();
}

/** More marks than this on one letter are no language: Thai and Vedic get along with four. */
const maxMarks = 6;
const heap = new RegExp(`(\\p{M}{${maxMarks}})\\p{M}+`, 'gu');

/** Overrides turn letters around that are none of theirs (invoice, fdp.exe): nobody writes with them. */
const overrides = /[\u202D\u202E]/g;

/**
 * clean is a message's text as it is shown: without invisible controls and overrides of
 * direction, with at most six combining marks on a letter, with line ends of one kind.
 * Isolates and embeddings stay; each paragraph is laid out by itself, so they end with it.
 */
export function clean(text: string): string {
  return text.replace(/\r\n?|[\u2028\u2029\u0085]/g, '\n').replace(controls, '').replace(overrides, '').replace(heap, '$1');
}

/** Messages fold after so many lines. */
export const foldLines = 24;
/** Of a giant message so many characters are laid out at first. */
export const showAtFirst = 8_000;
/** And so many are laid out at all; the rest can be copied. */
export const showAtMost = 200_000;

/**
 * cut shortens text to at most max UTF-16 units, at a line or a word where there is one
 * near, never inside of a character.
 */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  let end = max;
  const near = Math.max(text.lastIndexOf('\n', max), text.lastIndexOf(' ', max));
  if (near > max - 200 && near > 0) end = near;
  const unit = text.charCodeAt(end - 1);
  if (unit >= 0xd800 && unit < 0xdc00) end--;
  return text.slice(0, end);
}

const segmenter = 'Segmenter' in Intl ? new Intl.Segmenter(undefined, { granularity: 'grapheme' }) : undefined;

/** monogram is the first letter of a name as a person sees it, upper case. */
export function monogram(name: string): string {
  const line = oneLine(name).replace(steering, '').replace(/^[^\p{L}\p{N}\p{Emoji_Presentation}]+/u, '') || oneLine(name);
  const first = segmenter ? segmenter.segment(line)[Symbol.iterator]().next().value?.segment : [...line][0];
  return (first ?? '').normalize('NFC').replace(heap, '$1').toLocaleUpperCase();
}

/** shortened cuts a name in its middle, so that its ending stays: of files above all. */
export function shortened(name: string, max: number): string {
  const letters = [...name];
  if (letters.length <= max) return name;
  const tail = Math.min(Math.ceil(max / 2), 12);
  return letters.slice(0, max - tail - 1).join('') + '…' + letters.slice(-tail).join('');
}

/** onlyEmoji says that a text is one to three emoji and nothing else: they are shown large. */
export function onlyEmoji(text: string): boolean {
  const s = text.trim();
  if (!s || s.length > 40 || !segmenter) return false;
  const parts = [...segmenter.segment(s)].map((p) => p.segment);
  return parts.length <= 3 && parts.every((p) => /^(?:\p{RI}\p{RI}|\p{Emoji}(?:\p{EMod}|\uFE0F)?(?:\u20E3)?(?:\u200D\p{Emoji}(?:\p{EMod}|\uFE0F)?)*[\u{E0020}-\u{E007F}]*)$/u.test(p) && !/^[\d#*]$/.test(p));
}
