// What a stable code of the app says, in every language.

import type { Key } from '../i18n/en';
import { i18n, t } from '../i18n/i18n.svelte';

/** The codes that have a sentence of their own in every language (docs/command-line.md). */
const sentences: Record<string, Key> = {
  'no such handle': 'fail.handle',
  'no such person': 'fail.person',
  'no such room': 'fail.room',
  'no such message': 'fail.message',
  'no such request': 'fail.request',
  'not a member': 'fail.member',
  'not yours': 'fail.yours',
  'permission': 'fail.permission',
  'handle taken': 'fail.taken',
  'handle changed': 'fail.changed',
  'old server away': 'fail.oldhome',
  'moved elsewhere': 'fail.elsewhere',
  'retired': 'fail.retired',
  'paused': 'fail.paused',
  'account exists': 'fail.exists',
  'passphrase': 'fail.passphrase',
  'wrong passphrase': 'fail.passphrase',
  'wrong key': 'fail.passphrase',
  'unreachable': 'fail.unreachable',
  'timeout': 'fail.unreachable',
  'interrupted': 'fail.unreachable',
  'private address': 'fail.private',
  'version': 'fail.version',
  'malformed': 'fail.malformed',
  'request': 'fail.malformed',
  'too long': 'fail.long',
  'too large': 'fail.long',
  'disk full': 'fail.full',
  'disk': 'fail.disk',
  'damaged': 'fail.damaged',
  'slow down': 'fail.often',
  'too soon': 'fail.often',
  'invitation needed': 'fail.invitation',
  'suspended': 'fail.suspended',
  'quota': 'fail.room.full',
  'log full': 'fail.room.full',
  'inbox full': 'fail.room.full',
  'storage full': 'fail.room.full',
  'wrong code': 'fail.code',
  'no such meeting': 'fail.code',
  'linking over': 'fail.linking',
  'wrong words': 'fail.words',
  'words needed': 'fail.words.old',
  'no words': 'fail.words.none',
  'no words made': 'fail.words.again',
  'no backup': 'fail.backup.none',
  'not a backup': 'fail.backup.not',
  'cut backup': 'fail.backup.cut',
  'damaged backup': 'fail.backup.damaged',
  'forged backup': 'fail.backup.forged',
  'other account': 'fail.backup.other',
  'passphrase needed': 'fail.backup.pass',
  'no key': 'fail.backup.way',
  'backup moved': 'fail.backup.moved',
  'unlinked': 'fail.unlinked',
  'other devices': 'fail.devices',
  'server key': 'fail.server.key',
  'internal error': 'fail.server',
  'bad chain': 'fail.server',
  'no keyring': 'fail.keyring',
  'unfit passphrase': 'fail.unfit',
  'no such link': 'fail.link',
  'no such picture': 'fail.picture',
  'still inside': 'fail.inside',
  'not failed': 'fail.sent',
  'in use': 'fail.use',
  'stopped': 'fail.away',
};

/** coded is the sentence of a code, if it has one. */
export function coded(code: string): string | undefined {
  const key = Object.hasOwn(sentences, code) ? sentences[code] : undefined;
  return key && t(key);
}

/** reason is why something failed, inside of a sentence: the app's English, or in other languages what its code says. */
export function reason(code: string, text: string): string {
  const said = coded(code);
  return text && (i18n.language === 'en' || !said) ? text : (said ?? t('fail.other'));
}

/** sentence makes one of a text of the app: those begin in lower case, as Go's errors do, and end without a stop. */
export function sentence(text: string): string {
  const first = text.startsWith('sotto') || /^\S*[.@:"]\S/.test(text) ? text : text.charAt(0).toLocaleUpperCase() + text.slice(1);
  return /[.?!…"”]$/.test(first) ? first : first + '.';
}
