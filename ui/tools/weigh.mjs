// After a build: the script that a window loads first may weigh 150 kB compressed, and stays
// far below. Nothing in the build may make elements of text, and nothing may be inlined.

import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const limit = 150_000;
const aim = 90_000;

const manifest = JSON.parse(readFileSync(dist + 'manifest.json', 'utf8'));
rmSync(dist + 'manifest.json');

/** The entry and all that it imports before it runs. */
const files = new Set();
const visit = (key) => {
  const chunk = manifest[key];
  if (files.has(chunk.file)) return;
  files.add(chunk.file);
  for (const other of chunk.imports ?? []) visit(other);
};
for (const [key, chunk] of Object.entries(manifest)) if (chunk.isEntry) visit(key);

const weight = (file) => gzipSync(readFileSync(dist + file), { level: 9 }).length;
const total = [...files].reduce((n, f) => n + weight(f), 0);
console.log(`initial script: ${(total / 1000).toFixed(1)} kB compressed, in ${files.size} file${files.size === 1 ? '' : 's'}`);

const faults = [];
if (total > limit) faults.push(`the initial script weighs ${total} bytes compressed; ${limit} are allowed`);
else if (total > aim) console.warn(`that is more than the ${aim / 1000} kB it should stay below`);

const html = readFileSync(dist + 'index.html', 'utf8');
if (/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/i.test(html)) faults.push('index.html holds something inline');
for (const name of readdirSync(dist + 'assets')) {
  if (!name.endsWith('.js')) continue;
  const text = readFileSync(`${dist}assets/${name}`, 'utf8');
  for (const sign of [/\.innerHTML\s*=/, /\.outerHTML\s*=/, /insertAdjacentHTML/, /document\.write/, /\beval\(/, /new Function\b/, /createPolicy/]) {
    if (sign.test(text)) faults.push(`${name} holds ${sign.source}`);
  }
}
for (const fault of faults) console.error(fault);
process.exit(faults.length ? 1 : 0);
