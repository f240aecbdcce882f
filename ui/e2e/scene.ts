// The people and conversations of the drawn screens, with real accounts: Bo looks at the
// window; Ana, Cy and others wrote to him. For the pictures, the accessibility checks and
// the shapes of the window.

import type { Page } from 'playwright-core';
import type { Link, PersonDetail, Room } from '../src/api/types';
import type { Person, Window } from './person';
import { portraits, sitter } from './portraits';
import type { Server } from './server';
import type { Stage } from './stage';
import { until } from './until';
import { say } from './words';

export interface Scene {
  server: Server;
  bo: Person;
  ana: Person;
  cy: Person;
  dee: Person;
  rooms: { ana: Room; kitchen: Room; harbour: Room; choir: Room; lease: Room; notes: Room };
  /** A message of Bo's that was answered and read. */
  thyme: string;
  link: Link;
}

/** scene sets it all up; Bo has a window. */
export async function scene(stage: Stage, window: Window = {}): Promise<Scene> {
  const server = await stage.server();
  const [bo, ana, cy, dee] = ['bo', 'ana', 'cy', 'dee'].map((n) => stage.newcomer(n)) as [Person, Person, Person, Person];
  await Promise.all([bo, ana, cy, dee].map((p, i) => p.registers(`${['bo', 'ana', 'cy', 'dee'][i]}@${server.host}`)));
  for (const p of [bo, ana, cy, dee]) await p.app.start();
  await bo.app.call('PATCH', '/settings', { presence: true, typing: true });
  await ana.app.call('PATCH', '/settings', { presence: true });
  for (const [p, name, status] of [[bo, 'Bo', ''], [ana, 'Ana', 'Back at six'], [cy, 'Cy', 'repairs stringed instruments'], [dee, 'Dee', '']] as const) await p.app.call('PATCH', '/me', { name, status });

  await bo.sends(ana.handle, 'Where is the ladder?');
  await ana.accepts(bo);
  await until(async () => (await ana.rooms()).find((r) => r.kind === 'pair'), 'bo at ana');

  // Old conversations first, so that the list stands as drawn.
  const lease = await group(bo, 'Lease', [ana]);
  await until(async () => (await ana.rooms()).find((r) => r.name === 'Lease'), 'the lease at ana');
  await bo.app.call('POST', `/rooms/${lease.id}/leave`);
  const choir = await group(ana, 'Choir, Tuesdays', [bo, dee]);
  await bo.room('Choir, Tuesdays');
  for (let i = 1; i <= 11; i++) await ana.sends(choir.id, `Bar ${i} again, and quieter.`);
  await ana.sends(choir.id, 'The new score is in the files');
  await until(async () => (await bo.room('Choir, Tuesdays')).unread >= 12, 'the choir at bo');
  await bo.app.call('PATCH', `/rooms/${choir.id}/mine`, { muted_until: -1 });

  const harbour = await group(bo, 'Harbour trip', [ana]);
  await until(async () => (await ana.rooms()).find((r) => r.name === 'Harbour trip'), 'the harbour at ana');
  await ana.sends(harbour.id, 'The ferry goes at seven or at ten.');
  await until(async () => (await bo.room('Harbour trip')).last?.text.startsWith('The ferry'), 'the ferry at bo');
  await bo.app.call('POST', `/rooms/${harbour.id}/seen`, { through: '' });
  await bo.app.call('PATCH', `/rooms/${harbour.id}/mine`, { draft: 'Shall we take the early one' });

  const notes = await bo.app.call<Room>('POST', '/rooms/self');
  await bo.sends(notes.id, 'Boiler: press twice, hold the third time');
  await bo.app.call('PATCH', `/rooms/${notes.id}/mine`, { pinned: true });

  const kitchen = await group(bo, 'Kitchen table', [ana]);
  await until(async () => (await ana.rooms()).find((r) => r.name === 'Kitchen table'), 'the table at ana');
  const link = await bo.app.call<Link>('POST', `/rooms/${kitchen.id}/links`, { hours: 168, approve: true });

  // The conversation with Ana.
  const pair = await until(async () => (await ana.rooms()).find((r) => r.kind === 'pair'), 'bo at ana');
  const withAna = await bo.room('Ana').catch(() => bo.room('ana'));
  await ana.app.call('PATCH', `/rooms/${pair.id}`, { disappear: 604_800 });
  await until(async () => (await bo.rooms()).find((r) => r.id === withAna.id)?.disappear === 604_800, 'a week at bo');
  const shed = await ana.sends(pair.id, 'The ladder is in the shed, behind the blue door. Key where it always is.');
  await ana.sends(pair.id, 'This one. The other one squeaks.');
  const atBo = await until(async () => (await page(bo, withAna.id)).find((m) => m.text.startsWith('The ladder')), 'the ladder at bo');
  const thyme = await bo.sends(withAna.id, 'Under the thyme, then.', { reply: atBo.id });
  await until(async () => (await page(ana, pair.id)).some((m) => m.id === thyme.id), 'the thyme at ana');
  await ana.app.call('PUT', `/messages/${thyme.id}/reaction`, { emoji: '🌿' });
  await ana.app.call('POST', `/rooms/${pair.id}/seen`, { through: '' });
  await bo.sends(withAna.id, 'On the train. Heard it twice. Back at six.');
  await until(async () => (await page(ana, pair.id)).some((m) => m.text.startsWith('On the train')), 'the train at ana');
  await ana.app.call('POST', `/rooms/${pair.id}/seen`, { through: '' });
  await bo.app.call('PATCH', `/rooms/${withAna.id}/mine`, { pinned: true });
  await bo.app.call('PATCH', `/people/${ana.account}`, { compared: true });
  void shed;

  // Three that are new at the kitchen table.
  await ana.sends(kitchen.id, 'Who has the **hooks** for the lamp?');
  await ana.sends(kitchen.id, 'And bread? I can bring bread.');
  await ana.sends(kitchen.id, 'I can bring the ladder');
  await until(async () => (await bo.room('Kitchen table')).unread >= 3, 'the table at bo');
  // Somebody stands at its door.
  await dee.app.call('POST', '/rooms/join', { link: link.url });
  await until(async () => (await bo.room('Kitchen table')).knocks === 1, 'a knock');
  // And a stranger.
  await cy.sends(bo.handle, 'Hello Bo, Ana gave me your name. I repair stringed instruments and hear you have a cello with a crack in it. Pictures are at studio.example/cello');
  await until(async () => (await bo.app.call<unknown[]>('GET', '/requests')).length === 1, 'cy at bo');
  await until(async () => (await bo.app.call<PersonDetail>('GET', `/people/${ana.account}`)).status, 'ana’s status');

  const calls: Window = { permissions: ['camera', 'microphone'] };
  await bo.comes({ ...calls, before: [sitter, portraits.bo], ...window });
  await ana.comes({ ...calls, before: [sitter, portraits.ana], ...window });
  await ana.opens((await ana.rooms()).find((r) => r.kind === 'pair')?.name ?? 'Bo');
  await bo.row('Ana').waitFor();
  return { server, bo, ana, cy, dee, rooms: { ana: withAna, kitchen, harbour, choir, lease, notes }, thyme: thyme.id, link };
}

async function page(p: Person, room: string): Promise<{ id: string; text: string }[]> {
  return (await p.app.call<{ messages: { id: string; text: string }[] }>('GET', `/rooms/${room}/messages`)).messages;
}

async function group(by: Person, title: string, others: Person[]): Promise<Room> {
  return by.app.call<Room>('POST', '/rooms', { title, with: others.map((p) => p.handle) });
}

/** Every screen: a name, where it is, and what stands there when it is loaded. */
export interface Screen {
  name: string;
  path: string;
  /** After it is there: what is opened or typed. */
  then?: (p: Person) => Promise<void>;
  /** Before another one is shown. */
  after?: (p: Person) => Promise<void>;
}

export function screens(s: Scene): Screen[] {
  const { rooms: r } = s;
  const dialog = (p: Person) => p.page.getByRole('dialog').first().waitFor();
  const rings = async (p: Person) => {
    await s.ana.button('head.video', {}).click();
    await p.page.getByRole('alertdialog').waitFor();
  };
  const talks = async (p: Person) => {
    await rings(p);
    await p.press('ring.answer');
    await p.page.locator('main.call[data-link=open] .scene video').waitFor();
    await p.page.waitForFunction(() => [...document.querySelectorAll<HTMLVideoElement>('main.call video')].filter((v) => v.videoWidth > 0).length === 2);
    await p.page.locator('[data-words]').waitFor();
  };
  const quality = async (p: Person) => {
    await talks(p);
    if (await p.button('call.quality').isVisible()) await p.press('call.quality');
    else {
      await p.page.locator('main.call').getByRole('button', { name: say('call.more') }).click();
      await p.chooses('call.quality');
    }
    await p.page.locator('.quality path').nth(1).waitFor();
    // The picture grows sharp within some seconds.
    await p.page.waitForFunction(() => (document.querySelector<HTMLVideoElement>('.scene video')?.videoWidth ?? 0) >= 960, undefined, { timeout: 15_000 }).catch(() => {});
  };
  const ends = async (p: Person) => {
    await s.ana.press('call.hangup');
    await s.ana.page.locator('main.call').waitFor({ state: 'detached' });
    await p.page.locator('main.call, [role=alertdialog]').waitFor({ state: 'detached' });
  };
  return [
    { name: 'list', path: '/' },
    { name: 'conversation', path: `/r/${r.ana.id}`, then: async (p) => void (await p.message('On the train').waitFor()) },
    { name: 'details', path: `/r/${r.ana.id}`, then: async (p) => { await p.message('On the train').waitFor(); await p.more('details.open'); await p.page.locator('aside.details').waitFor(); } },
    { name: 'message-menu', path: `/r/${r.ana.id}`, then: async (p) => { await p.message('thyme').click({ button: 'right' }); await p.page.getByRole('menu').waitFor(); } },
    { name: 'emoji', path: `/r/${r.ana.id}`, then: async (p) => { await p.does('On the train', 'menu.react'); await p.page.locator('.picker .grid button').nth(40).waitFor(); } },
    { name: 'forward', path: `/r/${r.ana.id}`, then: async (p) => { await p.does('On the train', 'menu.forward'); await dialog(p); } },
    { name: 'delete-message', path: `/r/${r.ana.id}`, then: async (p) => { await p.does('On the train', 'menu.remove'); await dialog(p); } },
    { name: 'find', path: `/r/${r.ana.id}`, then: async (p) => { await p.more('head.search'); await p.page.getByRole('searchbox').fill('ladder'); await p.page.locator('.find .count').filter({ hasText: /\d/ }).waitFor(); } },
    { name: 'date', path: `/r/${r.ana.id}`, then: async (p) => { await p.more('head.date'); await dialog(p); } },
    { name: 'group', path: `/r/${r.kitchen.id}`, then: async (p) => void (await p.message('I can bring the ladder').waitFor()) },
    { name: 'left', path: `/r/${r.lease.id}` },
    { name: 'notes', path: `/r/${r.notes.id}`, then: async (p) => void (await p.message('Boiler').waitFor()) },
    { name: 'about-group', path: `/r/${r.kitchen.id}/about` },
    { name: 'about-link', path: `/r/${r.kitchen.id}/about`, then: async (p) => { await p.press('links.new'); await dialog(p); } },
    { name: 'new', path: '/new' },
    { name: 'new-group', path: '/new/group' },
    { name: 'to', path: `/to/${encodeURIComponent(s.dee.handle)}` },
    { name: 'join', path: `/join?${new URLSearchParams({ link: s.link.url })}` },
    { name: 'request', path: `/requests/${s.cy.account}` },
    { name: 'report', path: `/requests/${s.cy.account}`, then: async (p) => { await p.press('req.report'); await dialog(p); } },
    { name: 'person', path: `/people/${s.ana.account}` },
    { name: 'compare', path: `/people/${s.ana.account}/compare` },
    { name: 'who-message', path: `/who/message/${s.thyme}` },
    { name: 'who-room', path: `/who/room/${r.kitchen.id}` },
    { name: 'who-person', path: `/who/person/${s.ana.account}` },
    { name: 'search', path: '/search?q=ladder' },
    { name: 'search-none', path: '/search?q=nobodysaidthat' },
    { name: 'starred', path: '/search?starred=1' },
    { name: 'finder', path: '/', then: async (p) => { await p.page.locator('main, nav').first().waitFor(); await p.page.keyboard.press('Control+k'); await p.page.getByRole('combobox').first().fill('l'); await p.page.getByRole('option').first().waitFor(); } },
    { name: 'archive', path: '/archive' },
    { name: 'ring', path: `/r/${r.ana.id}`, then: rings, after: ends },
    { name: 'call', path: `/r/${r.ana.id}`, then: quality, after: ends },
    { name: 'call-small', path: `/r/${r.ana.id}`, then: async (p) => { await talks(p); await p.page.keyboard.press('Escape'); await p.page.locator('.floating video').waitFor(); }, after: ends },
    { name: 'call-devices', path: `/r/${r.ana.id}`, then: async (p) => { await talks(p); await p.page.locator('main.call').getByRole('button', { name: say('call.more') }).click(); await p.chooses('call.devices'); await dialog(p); }, after: ends },
    { name: 'calls', path: '/calls', then: async (p) => void (await p.page.locator('.side li').first().waitFor()) },
    { name: 'files', path: '/files' },
    { name: 'keys', path: '/', then: async (p) => { await p.page.keyboard.press('?'); await dialog(p); } },
    { name: 'you', path: '/you' },
    ...['profile', 'devices', 'privacy', 'notices', 'calls', 'appearance', 'storage', 'server', 'people', 'account'].map((x) => ({ name: `you-${x}`, path: `/you/${x}` })),
    { name: 'delete-account', path: '/you/account', then: async (p) => { await p.press('account.end.open'); await dialog(p); } },
    { name: 'passphrase', path: '/you/privacy', then: async (p) => { await p.press('lock.to.passphrase'); await dialog(p); } },
  ];
}

const dirty = new WeakSet<Page>();
const cleared = new WeakMap<Page, () => Promise<void>>();

/** show goes to a screen in a window and waits until it stands. */
export async function show(p: Person, screen: Screen): Promise<void> {
  await cleared.get(p.page)?.();
  cleared.delete(p.page);
  // A window that something was opened in is loaded anew; else one goes on in it, as people do.
  const fresh = dirty.has(p.page) || screen.path.includes('dir=') || new URL(p.page.url()).search.includes('dir=') || p.page.url() === p.app.origin + screen.path;
  if (fresh) await p.page.goto(p.app.origin + screen.path);
  else await p.goes(screen.path);
  dirty.delete(p.page);
  if (screen.then) dirty.add(p.page);
  const { after } = screen;
  if (after) cleared.set(p.page, () => after(p));
  await p.page.locator('main, nav').first().waitFor();
  await settled(p);
  await screen.then?.(p);
  await settled(p);
}

/** settled waits until nothing is loaded any more and the pictures are there. */
export async function settled(p: Person): Promise<void> {
  await p.page.waitForFunction(() => !document.querySelector('[data-skeleton], .skeleton, [aria-busy=true]'));
  await p.page.evaluate(async () => {
    await document.fonts.ready;
    await Promise.all([...document.images].map((i) => i.decode().catch(() => {})));
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  });
}
