// What a message's Markdown becomes: a tree of few kinds, which components render. There is
// no HTML anywhere on the way, so that nothing needs to be escaped.

export type Inline =
  | { t: 'text'; text: string }
  | { t: 'br' }
  | { t: 'code'; text: string }
  | { t: 'em' | 'strong' | 'del'; c: Inline[] }
  | { t: 'link'; link: Leads; c: Inline[] }
  | { t: 'mention'; account: string; text: string };

export type Block =
  | { t: 'p'; c: Inline[] }
  | { t: 'pre'; language: string; text: string }
  | { t: 'quote'; c: Block[] }
  | { t: 'list'; start: number | undefined; items: Block[][] }; // start: of a numbered list

/** Where a link leads, and whether its text says something else. */
export interface Leads {
  href: string;
  /** The host, or the address of a mailto: link, as machines write it (xn-- for other alphabets). */
  where: string;
  /** The text is the address itself, so that the host need not be told again. */
  bare: boolean;
  /** The address that the text reads as, when it is another than where it leads. */
  reads?: string;
}
