import { beforeAll, expect, test, vi } from 'vitest';
import type { Who } from '../../api/types';

let words: typeof import('./words');
beforeAll(async () => {
  vi.stubGlobal('navigator', { platform: 'Linux', languages: ['en'] });
  words = await import('./words');
});

const holder = (name: string, self: boolean, devices: string[]) => ({ account: name, handle: `${name}@x.example`, name, tint: 1, self, devices });
const who = (more: Partial<Who> = {}): Who => ({
  about: 'room', name: 'Ana', holders: [holder('Bo', true, ['desk']), holder('Ana', false, ['laptop', 'phone'])], others: 1, devices: 3, host: 'x.example',
  keeps: [], timeline: [], limits: [], ...more,
});

test('what this cannot help with is never empty', () => {
  for (const w of [who(), who({ others: 0, devices: 1, holders: [holder('Bo', true, ['desk'])] }), who({ limits: ['a name of tomorrow'] })]) {
    expect(words.limits(w).length).toBeGreaterThan(80);
  }
  expect(words.limits(who())).toContain('Ana can show');
  expect(words.limits(who({ limits: ['show-to-others', 'blocked-sees'] }))).toContain('blocked');
});

test('the answer names people, or counts them', () => {
  expect(words.answer(who())).toMatch(/^You and Ana\./);
  expect(words.answer(who({ others: 12 }))).toMatch(/^You and 12 other people\./);
  expect(words.answer(who({ others: 0, holders: [] }))).toMatch(/^Only you\./);
});

test('every name that the app knows has words', () => {
  const w = who();
  const kept = [
    { what: 'message', value: 'waiting', time: 1 }, { what: 'message', value: 'not-there' }, { what: 'message', value: 'nothing-erased' },
    { what: 'message', value: 'until-fetched', seconds: 60 }, { what: 'before', value: 'one-entry' }, { what: 'never', value: 'words-names-members' },
    { what: 'room', value: 'log-and-cursors', count: 3 }, { what: 'account', value: 'handle-keys', count: 2 }, { what: 'inbox', value: 'invitations-until-fetched', seconds: 60 },
  ];
  for (const k of kept) expect(words.kept(k, w), k.value).toBeDefined();
  expect(words.kept({ what: 'message', value: 'a value of tomorrow' }, w)).toBeUndefined();
  for (const what of ['written', 'stored', 'delivered', 'read', 'erased', 'vanishes', 'expires']) {
    expect(words.moments(who({ timeline: [{ what, done: true }] })), what).toHaveLength(1);
  }
  const plain = words.limits(w).length;
  for (const l of ['not-compared', 'key-changed', 'vanish-honoured', 'members-changed', 'blocked-sees']) {
    expect(words.limits(who({ limits: [l] })).length, l).toBeGreaterThan(plain);
  }
});
