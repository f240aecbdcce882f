// The emoji and the words that find them, loaded when somebody looks for one.

import type { Language } from '../i18n/i18n.svelte';

export interface Emoji {
  emoji: string;
  label: string;
  /** label and tags, lower case, for searching */
  words: string[];
}

export interface Group {
  key: string;
  name: string;
  all: Emoji[];
}

interface Words {
  names: string[];
  lines: string[][];
}

const words: { [L in Language]: () => Promise<{ default: Words }> } = {
  en: () => import('./data/en.json'),
  de: () => import('./data/de.json'),
  es: () => import('./data/es.json'),
};

const loaded = new Map<Language, Promise<Group[]>>();

export function load(language: Language): Promise<Group[]> {
  let groups = loaded.get(language);
  if (!groups) {
    groups = Promise.all([import('./data/list.json'), words[language]()]).then(([list, w]) => make(list.default, w.default));
    loaded.set(language, groups);
    groups.catch(() => loaded.delete(language));
  }
  return groups;
}

function make(list: { key: string; emoji: string[] }[], w: Words): Group[] {
  return list.map((g, i) => ({
    key: g.key,
    name: w.names[i] ?? g.key,
    all: g.emoji.map((emoji, j) => {
      const all = (w.lines[i]?.[j] ?? '').split('|');
      return { emoji, label: all[0] ?? '', words: all.map((x) => x.toLowerCase()) };
    }),
  }));
}

/** find ranks emoji by a query: whose label begins with it, then whose words do, then those that hold it. */
export function find(groups: readonly Group[], query: string, max = 120): Emoji[] {
  const q = query.trim().toLowerCase();
  if (!q) return [];
  const ranked: [number, Emoji][] = [];
  for (const g of groups) {
    for (const e of g.all) {
      const [label = '', ...tags] = e.words;
      const rank = e.emoji === q ? 0 : label.startsWith(q) ? 1 : tags.some((w) => w === q) ? 2 : (' ' + label).includes(' ' + q) ? 3 : tags.some((w) => w.startsWith(q)) ? 4 : label.includes(q) ? 5 : 9;
      if (rank < 9) ranked.push([rank, e]);
    }
  }
  return ranked.sort((a, b) => a[0] - b[0]).slice(0, max).map(([, e]) => e);
}

/** What was used last, the newest first, from and for the setting. */
export function recent(setting: string): string[] {
  return setting.split(' ').filter((e) => e && e.length <= 32).slice(0, 24);
}

export function used(setting: string, emoji: string): string {
  return [emoji, ...recent(setting).filter((e) => e !== emoji)].slice(0, 24).join(' ');
}

/** Before anything was used. */
export const first = ['👍', '❤️', '😂', '😮', '😢', '🙏', '🎉', '🌿'];
