// Which of its languages sotto speaks, and by whose habits it writes dates and numbers.

export const languages = { en: 'English', de: 'Deutsch', es: 'Español' } as const;
export type Language = keyof typeof languages;

/** The setting first, then the system's languages in order, of which the first that sotto speaks counts. */
export function choose(setting: string, system: readonly string[]): Language {
  for (const tag of [setting, ...system]) {
    const name = tag.toLowerCase().split('-')[0] ?? '';
    if (name in languages) return name as Language;
  }
  return 'en';
}

/**
 * The locale for dates and numbers: the person's own region where it fits the language,
 * else one that favours none (en-150 is English as it is written around Europe).
 */
export function localeOf(language: Language, system: readonly string[]): string {
  const own = system.find((tag) => tag.toLowerCase().startsWith(language + '-'));
  return own ?? (language === 'en' ? 'en-150' : language);
}
