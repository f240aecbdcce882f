// Makes src/emoji/data from emojibase-data: the emoji in their groups, and for each language
// the words that find them, in the same order. Made anew when this file or the data changed.

import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const out = here('../src/emoji/data/');
const source = (language, file) => here(`../node_modules/emojibase-data/${language}/${file}.json`);
const read = (path) => JSON.parse(readFileSync(path, 'utf8'));

const languages = ['en', 'de', 'es'];
/** Emoji of later versions than fonts of three years ago have are left out. */
const newest = 15.1;
/** The group of components (skin tones, hair) is none to choose from. */
const components = 2;

const stamp = `${statSync(here('emoji.mjs')).mtimeMs} ${read(here('../node_modules/emojibase-data/package.json')).version}`;
if (existsSync(out + 'stamp') && readFileSync(out + 'stamp', 'utf8') === stamp) process.exit(0);

const all = read(source('en', 'data'))
  .filter((e) => e.group !== undefined && e.group !== components && e.version <= newest)
  .sort((a, b) => a.order - b.order);
const groups = read(source('en', 'messages')).groups.filter((g) => g.order !== components);

mkdirSync(out, { recursive: true });
const list = groups.map((g) => ({ key: g.key, emoji: all.filter((e) => e.group === g.order).map((e) => e.emoji) }));
writeFileSync(out + 'list.json', JSON.stringify(list));
for (const language of languages) {
  const words = new Map(read(source(language, 'compact')).map((e) => [e.hexcode, e]));
  const en = new Map(read(source('en', 'compact')).map((e) => [e.hexcode, e]));
  const lines = groups.map((g) =>
    all.filter((e) => e.group === g.order).map((e) => {
      const w = words.get(e.hexcode) ?? en.get(e.hexcode);
      return [w.label, ...new Set(w.tags ?? [])].join('|');
    }),
  );
  const names = read(source(language, 'messages')).groups.filter((g) => g.order !== components).map((g) => g.message);
  writeFileSync(`${out}${language}.json`, JSON.stringify({ names, lines }));
}
writeFileSync(out + 'stamp', stamp);
