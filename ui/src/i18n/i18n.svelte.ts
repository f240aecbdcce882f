// Which language is spoken, and its texts. English is here from the start; German and
// Spanish come in chunks of their own.

import { isolated } from '../text/hygiene';
import { choose, localeOf, type Language } from './choose';
import { en, type English, type Key } from './en';
import { fill } from './fill';
import type { Same, Text, Values } from './types';

export { languages, type Language } from './choose';

const loaders: { [L in Exclude<Language, 'en'>]: () => Promise<Same<English>> } = {
  de: async () => (await import('./de')).de,
  es: async () => (await import('./es')).es,
};

const rightToLeft = new Set(['ar', 'fa', 'he', 'ur', 'yi']);

/** ?dir=rtl in the opening address mirrors the interface, for whoever looks after that. */
const mirrored = new URLSearchParams(globalThis.location?.search).get('dir') === 'rtl';

class I18n {
  language = $state<Language>('en');
  locale = $state('en-150');
  #texts = $state.raw<Same<English>>(en);
  #plural = $derived(new Intl.PluralRules(this.locale));
  #number = $derived(new Intl.NumberFormat(this.locale));

  /** use speaks the language of the setting; "" is the system's. */
  async use(setting: string): Promise<void> {
    const system = navigator.languages ?? ['en'];
    const language = choose(setting, system);
    const texts = language === 'en' ? en : await loaders[language]();
    this.#texts = texts;
    this.language = language;
    this.locale = localeOf(language, system);
    document.documentElement.lang = language;
    document.documentElement.dir = mirrored || rightToLeft.has(language) ? 'rtl' : 'ltr';
  }

  text(key: Key): Text {
    return this.#texts[key];
  }

  number(n: number): string {
    return this.#number.format(n);
  }

  category(n: number): Intl.LDMLPluralRule {
    return this.#plural.select(n);
  }
}

export const i18n = new I18n();

/** t is a text in the language of the moment, with its values filled in. */
export function t<K extends Key>(key: K, ...values: Values<English[K]>): string {
  const given = ((values as readonly object[])[0] ?? {}) as Record<string, string | number>;
  const text = i18n.text(key);
  const form = typeof text === 'string' ? text : (text[i18n.category(Number(given.n))] ?? text.other);
  return fill(form, (name) => {
    const value = given[name];
    return typeof value === 'number' ? i18n.number(value) : isolated(value ?? '');
  });
}
