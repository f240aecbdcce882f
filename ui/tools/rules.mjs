// Rules that no compiler knows: nothing becomes HTML, no inline styles, no colours beside
// the tokens, no address of anywhere else.

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../src/', import.meta.url));

/** What may not stand in which files, and why. */
const rules = [
  { in: /\.svelte$/, not: /\{@html\b/, why: 'what people write never becomes HTML' },
  { in: /\.(svelte|ts)$/, not: /\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment)\b/, why: 'what people write never becomes HTML' },
  { in: /\.(svelte|ts)$/, not: /\beval\(|new Function\(/, why: 'no code is made of text' },
  { in: /\.svelte$/, not: /\sstyle\s*=\s*["'{]/, why: 'the policy forbids style attributes: use a class, or style:name' },
  { in: /\.(svelte|ts)$/, not: /setAttribute\(\s*['"]style/, why: 'the policy forbids style attributes' },
  // #fff, rgb(…), named colours after a colour property; tokens are the only colours.
  { in: /\.(svelte|css)$/, except: /styles\/(tokens|more)\.css$/, part: 'style', not: /#[0-9a-f]{3,8}\b(?![^{]*\{)|\b(rgba?|hsla?|oklch|oklab|lch|lab|hwb|light-dark)\(/i, why: 'colours stand in the tokens alone' },
  { in: /\.(svelte|css)$/, except: /styles\/(tokens|more)\.css$/, part: 'style', not: /(?:color|background|border(?:-[a-z-]+)?|fill|stroke|outline)\s*:[^;{}]*\b(?:white|black|red|green|blue|gr[ae]y|pink|orange|yellow|purple|brown)\b/i, why: 'colours stand in the tokens alone' },
  { in: /\.(svelte|css)$/, part: 'style', not: /url\(\s*['"]?(?:https?:)?\/\//, why: 'nothing is loaded from elsewhere' },
  { in: /\.(svelte|ts)$/, except: /\.test\.ts$/, not: /target="_blank"(?![^>]*rel="noopener noreferrer")/, why: 'a page that is opened may not reach back' },
];

function* walk(folder) {
  for (const e of readdirSync(folder, { withFileTypes: true })) {
    if (e.isDirectory()) yield* walk(`${folder}${e.name}/`);
    else yield folder + e.name;
  }
}

/** The text that a rule looks at, with everything else blank, so that lines stay. */
function part(text, name, file) {
  const bare = text.replace(/\/\*[\s\S]*?\*\//g, (s) => s.replace(/[^\n]/g, ' ')).replace(/<!--[\s\S]*?-->/g, (s) => s.replace(/[^\n]/g, ' '));
  if (name !== 'style' || file.endsWith('.css')) return bare;
  const at = bare.search(/^<style/m);
  return at < 0 ? '' : bare.slice(0, at).replace(/[^\n]/g, ' ') + bare.slice(at);
}

let faults = 0;
let files = 0;
for (const file of walk(root)) {
  if (!/\.(svelte|ts|css)$/.test(file)) continue;
  files++;
  const text = readFileSync(file, 'utf8');
  for (const rule of rules) {
    if (!rule.in.test(file) || rule.except?.test(file)) continue;
    part(text, rule.part, file).split('\n').forEach((line, i) => {
      if (file.endsWith('.ts') && /^\s*(\/\/|\*|\/\*)/.test(line)) return;
      if (!rule.not.test(line)) return;
      faults++;
      console.error(`src/${file.slice(root.length)}:${i + 1}: ${rule.why}: ${line.trim().slice(0, 100)}`);
    });
  }
}
if (files < 50) {
  console.error(`only ${files} files were read`);
  faults++;
}
process.exit(faults ? 1 : 0);
