import { beforeEach, expect, it, vi } from 'vitest';
import type { Event, EventType, Host, State } from '../api/types';

const asked: ((s: Partial<State>) => void)[] = [];
const told = new Map<EventType, (e: Event) => void>();

vi.mock('../api/calls', () => ({
  keyName: 'key',
  state: () => new Promise<Partial<State>>((done) => asked.push(done)),
}));
vi.mock('./live.svelte', () => ({
  live: { on: (type: EventType, f: (e: Event) => void) => told.set(type, f), onRefused: () => undefined, start: () => undefined, stop: () => undefined },
}));
vi.stubGlobal('addEventListener', () => undefined);

const { session } = await import('./session.svelte');
const host = (name: string): Host => ({ host: name, home: true, up: true });
const answer = async (phase: State['phase'], name: string) => {
  asked.shift()?.({ phase, hosts: [host(name)] });
  for (let i = 0; i < 8; i++) await Promise.resolve();
};

beforeEach(async () => {
  const begun = session.begin(undefined);
  await answer('open', 'first');
  await begun;
});

it('keeps what was told while an older answer was under way', async () => {
  const loaded = session.load();
  told.get('hosts')?.({ type: 'hosts', hosts: [host('told')] });
  await answer('open', 'older');
  await loaded;
  expect(session.state?.hosts.map((h) => h.host)).toEqual(['told']);
});

it('asks once more for those who came while an answer was under way', async () => {
  const first = session.load();
  const second = session.load();
  expect(session.load()).toBe(second);
  expect(asked).toHaveLength(1);
  await answer('open', 'older');
  await first;
  expect(session.stage).toBe('open');
  expect(asked).toHaveLength(1);
  await answer('locked', 'newer');
  await second;
  expect(session.stage).toBe('locked');
});
