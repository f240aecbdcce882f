// Which part of a conversation is in memory and in the page: a window of at most maxShown
// messages, which slides. A conversation of any length costs the same.

import type { Message, Page } from '../api/types';

/** So many messages are asked for when one comes: some screens full. */
export const firstSize = 40;
/** So many while one scrolls. */
export const pageSize = 60;
/** So many are kept; the page holds no more. */
export const maxShown = 240;

export interface Shown {
  readonly messages: readonly Message[];
  readonly moreBefore: boolean;
  readonly moreAfter: boolean;
}

export const nothing: Shown = { messages: [], moreBefore: false, moreAfter: false };

/** By place; those without one come last, by when they were written. */
export function inOrder(a: Message, b: Message): number {
  if (a.pos && b.pos) return a.pos - b.pos;
  if (a.pos || b.pos) return a.pos ? -1 : 1;
  return a.sent - b.sent || a.id.localeCompare(b.id);
}

function sorted(messages: Iterable<Message>): Message[] {
  const byID = new Map<string, Message>();
  for (const m of messages) byID.set(m.id, m);
  return [...byID.values()].sort(inOrder);
}

/** A page as a window of its own. */
export function whole(page: Page): Shown {
  return { messages: sorted(page.messages), moreBefore: page.more_before, moreAfter: page.more_after };
}

/** The window with an older page before it; what is too much leaves at the end. */
export function older(shown: Shown, page: Page): Shown {
  const messages = sorted([...page.messages, ...shown.messages]);
  const over = messages.length > maxShown;
  return {
    messages: over ? messages.slice(0, maxShown) : messages,
    moreBefore: page.more_before,
    moreAfter: over || shown.moreAfter,
  };
}

/** The window with a newer page after it; what is too much leaves at the beginning. */
export function newer(shown: Shown, page: Page): Shown {
  const messages = sorted([...shown.messages, ...page.messages]);
  const over = messages.length > maxShown;
  return {
    messages: over ? messages.slice(-maxShown) : messages,
    moreBefore: over || shown.moreBefore,
    moreAfter: page.more_after,
  };
}

/** A new message. While newer ones are not here, it is one of those. */
export function arrived(shown: Shown, message: Message): Shown {
  if (shown.moreAfter && !shown.messages.some((m) => m.id === message.id)) return shown;
  const messages = sorted([...shown.messages, message]);
  const over = messages.length > maxShown + pageSize;
  return over ? { messages: messages.slice(-maxShown), moreBefore: true, moreAfter: shown.moreAfter } : { ...shown, messages };
}

/** A message as it is now; one that is not in the window changes nothing. */
export function changed(shown: Shown, message: Message): Shown {
  const i = shown.messages.findIndex((m) => m.id === message.id);
  if (i < 0) return shown;
  const messages = [...shown.messages];
  const before = messages[i] as Message;
  messages[i] = message;
  if (before.pos === message.pos) return { ...shown, messages };
  messages.sort(inOrder);
  // What went below everything here stands among those that are not here.
  return { ...shown, messages: shown.moreAfter && messages.at(-1) === message ? messages.slice(0, -1) : messages };
}

/** Without a message, whose answers then quote nothing. */
export function gone(shown: Shown, id: string): Shown {
  if (!shown.messages.some((m) => m.id === id || m.reply?.id === id)) return shown;
  const messages = shown.messages
    .filter((m) => m.id !== id)
    .map((m) => (m.reply?.id === id ? { ...m, reply: { ...m.reply, text: '', gone: true } } : m));
  return { ...shown, messages };
}

/** The place to ask for older ones from: of the first message that has one. */
export function firstPos(shown: Shown): number {
  return shown.messages.find((m) => m.pos > 0)?.pos ?? 0;
}

/** The place to ask for newer ones from. */
export function lastPos(shown: Shown): number {
  return shown.messages.findLast((m) => m.pos > 0)?.pos ?? 0;
}
