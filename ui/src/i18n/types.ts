// The shapes of texts. English is the measure: German and Spanish have the same keys, and a
// text that counts has one form for each of its language's plural rules.

/** A text that depends on a number n: one form for each plural category of its language. */
export type Plural = { readonly other: string } & { readonly [C in Exclude<Intl.LDMLPluralRule, 'other'>]?: string };

export type Text = string | Plural;

/** The same keys as a language, as texts of another. */
export type Same<T> = { readonly [K in keyof T]: T[K] extends string ? string : Plural };

/** The names between braces in a text: 'Write to {name}' has name. */
type Names<S> = S extends `${string}{${infer N}}${infer Rest}` ? N | Names<Rest> : never;

/** What a text wants: nothing, or a value for each of its names. A plural always wants n. */
export type Values<T> = T extends string
  ? [Names<T>] extends [never] ? [] : [values: { [N in Names<T>]: string | number }]
  : [values: { [N in Names<T[keyof T]> | 'n']: string | number }];
