// What the device found out about who can see something (api.Who), in sentences. The names
// on the left are the interface's own and stable; a name that this version does not know
// says nothing here rather than something wrong.

import type { Holder, KeptThing, Moment, Who } from '../../api/types';
import { t } from '../../i18n/i18n.svelte';
import type { Key } from '../../i18n/en';
import { capital, clock, date, list, plainList, point, span, today } from '../lib/when';

/** counted is a number as a word up to twelve, as it stands in a sentence. */
export function counted(n: number): string {
  return n >= 1 && n <= 12 ? t(`num.${n}` as 'num.1') : String(n);
}

/** when is a time inside a sentence: "at 9:51" today, else "on 3 March". */
export function when(ms: number): string {
  return today(ms) ? t('who.at', { time: clock(ms) }) : t('who.on', { date: date(ms) });
}

/** size is how large an entry is, in KiB, which entries are padded to. */
export function size(bytes: number): string {
  return t('who.kib', { n: Math.max(1, Math.ceil(bytes / 1024)) });
}

/** answer is the whole page in one sentence. */
export function answer(w: Who): string {
  const others = w.holders.filter((h) => !h.self).map((h) => h.name);
  const key = w.about === 'message' ? 'it' : 'said';
  if (w.others === 0) return t(`who.answer.self.${key}`);
  if (others.length === w.others && others.length <= 3) return t(`who.answer.names.${key}`, { names: list([t('word.you'), ...others]) });
  return t(`who.answer.many.${key}`, { n: w.others });
}

/** holder says with how many devices somebody holds keys, and what is known of their number. */
export function holder(h: Holder): string[] {
  const lines = [];
  if (h.devices.length) {
    const n = h.devices.length;
    lines.push(capital(t('who.devices', { n, count: counted(n), names: plainList(h.devices.map((d) => d || t('who.unnamed'))) })));
  }
  if (h.changed) lines.push(t(h.compared ? 'who.changed' : 'who.changed.met'));
  else if (h.compared) lines.push(t('who.compared', { date: date(h.compared) }));
  return lines;
}

/** kept is one line of what the server keeps, or undefined for what is not known here. */
export function kept(k: KeptThing, w: Who): { term: string; text: string } | undefined {
  const terms: Record<string, Key> = {
    message: 'who.keeps.message', before: 'who.keeps.before', never: 'who.keeps.never',
    room: 'who.keeps.room', account: 'who.keeps.account', inbox: 'who.keeps.inbox',
  };
  const term = terms[k.what];
  const text = keptText(k, w);
  return term && text ? { term: t(term), text } : undefined;
}

function keptText(k: KeptThing, w: Who): string | undefined {
  const n = k.count ?? 0;
  switch (k.value) {
    case 'nothing-erased':
      if (!k.time) return t('who.kept.erased');
      return t('who.kept.erased.when', { when: when(k.time), n: w.devices, count: counted(w.devices) });
    case 'not-there':
      return t('who.kept.not-sent');
    case 'waiting':
      return k.time ? t('who.kept.waiting.until', { date: date(k.time) }) : t('who.kept.waiting');
    case 'one-entry':
      return k.bytes ? t('who.kept.one', { size: size(k.bytes) }) : t('who.kept.one.some');
    case 'until-fetched':
      return k.seconds ? t('who.kept.fetched.ttl', { span: span(k.seconds) }) : t('who.kept.fetched');
    case 'words-names-members':
      return t('who.kept.words');
    case 'log-and-cursors':
      return t('who.kept.cursors', { n });
    case 'handle-keys':
      return n ? t('who.kept.keys', { n, count: counted(n) }) : undefined;
    case 'invitations-until-fetched':
      return k.seconds ? t('who.kept.invitations', { span: span(k.seconds) }) : t('who.kept.invitations.some');
  }
  return undefined;
}

/** moments is the life of a message as points on a line, in their order. */
export function moments(w: Who): { when: string; text: string; done: boolean; iso?: string }[] {
  const words: Record<string, Key> = {
    written: w.quote?.own ? 'who.life.written' : 'who.life.written.other',
    stored: 'who.life.stored', delivered: 'who.life.delivered', read: 'who.life.read',
    erased: 'who.life.erased', vanishes: 'who.life.vanishes', expires: 'who.life.expires',
  };
  const points = [];
  for (const m of w.timeline as Moment[]) {
    const key = words[m.what];
    if (!key) continue;
    points.push({
      when: m.time ? point(m.time) : timeless(m),
      text: say(key, w),
      done: m.done,
      iso: m.time ? new Date(m.time).toISOString() : undefined,
    });
  }
  return points;
}

/** timeless is what stands over a point whose time this device does not know. */
function timeless(m: Moment): string {
  if ((m.of ?? 0) > 1) return t('who.life.count', { count: m.count ?? 0, of: m.of ?? 0 });
  if (m.done) return t('who.life.done');
  return m.what === 'vanishes' ? t('who.life.after') : t('who.life.not-yet');
}

function say(key: Key, w: Who): string {
  return (t as (key: Key, values: object) => string)(key, { n: w.devices, count: counted(w.devices), name: w.quote?.name ?? w.name, host: w.host });
}

/** What is said in any case, also where the device named nothing. */
const always = ['show-to-others', 'unlocked-device', 'traffic'];

/** limits is what this cannot help with, as one paragraph. It is never empty. */
export function limits(w: Who): string {
  const about = w.about === 'message' ? 'it' : 'said';
  const alone = w.others === 0;
  const words: Record<string, Key | undefined> = {
    'show-to-others': alone ? undefined : w.others === 1 ? (w.quote?.own ? 'who.limit.show.own.it' : `who.limit.show.one.${about}`) : `who.limit.show.many.${about}`,
    'unlocked-device': w.devices > 1 ? `who.limit.unlocked.${about}` : `who.limit.unlocked.only.${about}`,
    'traffic': 'who.limit.traffic',
    'blocked-sees': 'who.limit.blocked',
    'not-compared': w.others === 1 ? 'who.limit.not-compared' : 'who.limit.not-compared.all',
    'key-changed': w.others === 1 ? 'who.limit.key-changed' : 'who.limit.key-changed.some',
    'vanish-honoured': 'who.limit.vanish',
    'members-changed': 'who.limit.members',
  };
  const names = [...new Set([...always, ...w.limits])];
  const other = w.holders.find((h) => !h.self)?.name ?? w.name;
  return names
    .map((name) => words[name])
    .filter((key) => key !== undefined)
    .map((key) => (t as (key: Key, values: object) => string)(key, { name: other, n: w.devices, count: counted(w.devices), host: w.host }))
    .join(' ');
}
