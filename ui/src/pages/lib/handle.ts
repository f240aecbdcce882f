// Handles as docs/protocol.md has them: name@host, lower case; a name of 1 to 32 of a-z,
// 0-9, dot, dash and underscore that begins and ends with a letter or digit.

const letters: Record<string, string> = { ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', å: 'a', ð: 'd', þ: 'th', ł: 'l', đ: 'd', ı: 'i' };

/** nameOf makes the first part of a handle of what somebody wants to be called; "" if nothing fits. */
export function nameOf(typed: string): string {
  return typed
    .trim()
    .toLowerCase()
    .replace(/[ßæœøåðþłđı]/g, (c) => letters[c] ?? c)
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[\s.]+/g, '.')
    .replace(/[^a-z0-9._-]/g, '')
    .slice(0, 32)
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '');
}

/** isName says that something is the first part of a handle as it stands. */
export function isName(s: string): boolean {
  return /^[a-z0-9](?:[a-z0-9._-]{0,30}[a-z0-9])?$/.test(s);
}

/** isHandle says that something may be a handle; the app knows better. */
export function isHandle(s: string): boolean {
  const [name, host, ...more] = s.trim().toLowerCase().split('@');
  return more.length === 0 && isName(name ?? '') && /^[a-z0-9.[\]:-]+$/.test(host ?? '');
}

/** linkIn finds an invitation link in a text that somebody copied, as a message with words around it. */
export function linkIn(text: string): string | undefined {
  return /\bhttps?:\/\/\S+\/i#[\w-]+/.exec(text)?.[0];
}
