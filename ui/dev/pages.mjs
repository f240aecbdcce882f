// Answers of the mock API for the pages beside the conversation. answers maps
// "METHOD /path" with {names} to a function of ({names}, query, body) that gives the answer's
// body; undefined is 204, a Failure with status is refused. What is changed stays changed
// until the process ends. The cookie mock picks a state of the whole app: open, new, invited,
// nokeyring, locked, empty; without it mock.mjs answers everything.

import { createHash } from 'node:crypto';

export const id = (name) => createHash('sha256').update(name).digest('hex');
const now = () => Date.now();
const hour = 3_600_000;
const day = 24 * hour;
/** A time of day, some days ago. */
export const at = (clock, daysAgo = 0) => {
  const [h, m] = clock.split(':').map(Number);
  const d = new Date();
  d.setHours(h, m, 0, 0);
  return d.getTime() - daysAgo * day;
};

/** A picture of modules that looks like a QR code and holds nothing. */
function noCode(text) {
  const size = 33;
  const h = createHash('sha512').update(text).digest();
  const finder = (x, y) => [[0, 0], [size - 7, 0], [0, size - 7]].some(([fx, fy]) => x >= fx - 1 && x <= fx + 7 && y >= fy - 1 && y <= fy + 7);
  const ring = (x, y) => [[0, 0], [size - 7, 0], [0, size - 7]].some(([fx, fy]) => {
    const d = Math.max(Math.abs(x - fx - 3), Math.abs(y - fy - 3));
    return d <= 3 && d !== 2;
  });
  return Array.from({ length: size }, (_, y) => Array.from({ length: size }, (_, x) => (finder(x, y) ? ring(x, y) : (h[(y * size + x) % 64] >> (x % 8)) & 1) ? '1' : '0').join('')).join('\n');
}

const long = 'Wolfeschlegelsteinhausenbergerdorffvoralternwarengewissenhaftscha';
export const ana = { account: id('ana'), handle: 'ana@example.org', name: 'Ana', own: 'Ana', nickname: '', status: 'On the boat until Friday', tint: 1, contact: true, blocked: false, compared: new Date(new Date().getFullYear(), 2, 3).getTime(), changed: false, paused: false, here: true, room: id('room-ana') };
const cy = { account: id('cy'), handle: 'cy@studio.example', name: 'Cy', own: 'Cy', nickname: '', status: '', tint: 6, contact: true, blocked: false, changed: true, here: false };
const dee = { account: id('dee'), handle: 'dee@example.org', name: long, own: long, nickname: '', status: 'A sentence about oneself may have up to one hundred and forty characters, and then it is cut by the row that it stands in, as this one is.', tint: 4, contact: true, blocked: false, changed: false, paused: false, here: false };
const mal = { account: id('mallory'), handle: 'mallory@elsewhere.example', name: 'Mallory', own: 'Mallory', nickname: '', status: '', tint: 3, contact: false, blocked: true, changed: false, paused: false, here: false };
const everybody = [ana, cy, dee, mal];

const self = { account: id('bo'), handle: 'bo@example.org', device: 'Desk', name: 'Bo', status: '' };
const settings = { theme: 'system', language: '', enter_sends: true, single_keys: true, text_size: 100, notify: 'text', sounds: true, receipts: true, typing: true, presence: false, lock_after: 0, at_login: false, retention: 0, disappear: 0, recent_emoji: '' };
const state = {
  phase: 'open', version: '0.4.0', custody: 'file', keyring: true, self,
  hosts: [{ host: 'example.org', home: true, up: true }, { host: 'studio.example', home: false, up: false, since: at('9:12'), why: 'no answer' }],
  requests: 1, unread: 4, news_through: 1,
};
const reach = [
  { address: '127.0.0.1:7700', who: 'this computer', sure: true, text: '127.0.0.1:7700' },
  { address: '192.168.1.20:7700', who: 'network', sure: true, text: '192.168.1.20:7700' },
  { address: '203.0.113.9:7700', who: 'everybody', sure: false, text: 'Once port 7700 of your router leads to 192.168.1.20.' },
];

const room = (name, more = {}) => ({
  id: id('room-' + name.toLowerCase()), kind: 'group', state: 'active', name, tint: 3, host: 'example.org', unread: 0, mentions: 0, time: now(), pinned: false, archived: false,
  muted: false, compared: false, changed: false, paused: false, here: false, disappear: 0, members: 4, admin: true, knocks: 0, writable: true, ...more,
});
export const rooms = [
  room('Ana', { kind: 'pair', handle: ana.handle, account: ana.account, tint: 1, members: 2, admin: false, pinned: true, compared: true, here: true, disappear: 604_800 }),
  room('Notes to self', { kind: 'self', tint: 5, members: 1, pinned: true }),
  room('Kitchen table', { unread: 3, members: 4 }),
  room('Harbour trip', { tint: 4, admin: false, members: 7 }),
  room('Choir, Tuesdays', { tint: 2, muted: true, muted_until: -1, unread: 12, members: 31 }),
  room('Lease', { tint: 1, state: 'left', writable: false, members: 3 }),
];

const member = (p, more = {}) => ({ account: p.account, handle: p.handle, name: p.name, tint: p.tint, admin: false, self: false, compared: !!p.compared, changed: p.changed, here: p.here, devices: 2, ...more });
const link = (hours, approve, used = 0) => {
  const url = `https://example.org/i#${createHash('sha512').update(String(hours) + approve).digest('base64url')}`;
  return { id: id(url).slice(0, 32), url, qr: noCode(url), until: now() + hours * hour, approve, used };
};
const message = (text, more = {}) => ({
  id: id(text), room: id('room-ana'), pos: 1, kind: 'text', account: self.account, handle: self.handle, name: 'Bo', tint: 2, own: true, text, sent: at('9:44'), state: 'read', seen: true, ...more,
});
const details = new Map(rooms.map((r) => [r.id, {
  ...r,
  people: [member({ ...ana, ...self, name: 'Bo', tint: 2 }, { self: true, admin: r.admin, compared: false }), ...(r.kind === 'self' ? [] : r.kind === 'pair' ? [member(ana)] : [member(ana), member(cy), member(dee, { admin: !r.admin })])],
  pins: r.kind === 'group' ? [message('Key under the thyme, as always', { room: r.id, own: false, name: 'Ana', account: ana.account, tint: 1 })] : [],
  links: r.kind === 'group' ? [link(168, true, 2)] : [],
  waiting: r.name === 'Kitchen table' ? [{ id: '1', handle: 'eve@example.org', account: id('eve'), name: 'Eve', tint: 5, time: at('9:30') }] : [],
  created: at('10:00', 90), ttl: 2_592_000,
}]));

const number = '40917 22856 19034 77120 05518 63392 81145 30968 54207 12283 99061 47750';
const person = (p) => ({
  ...p, number, qr: noCode(number), since: at('10:00', 200),
  devices: [{ name: 'Kitchen laptop', added: at('10:00', 200), self: false }, { name: 'Desk', added: at('11:00', 90), self: false }],
  rooms: rooms.slice(2, 4),
  changes: [
    ...(p.changed ? [{ time: at('8:50'), what: 'key', text: '' }] : []),
    { time: at('9:20', 1), what: 'device-added', text: 'Travel laptop' },
    { time: at('17:05', 40), what: 'status', text: p.status },
    { time: at('10:00', 120), what: 'compared', text: '' },
    { time: at('10:00', 200), what: 'met', text: '' },
  ],
});

const requests = [
  { account: id('cy2'), handle: 'cy@studio.example', name: 'Cy', tint: 6, room: id('room-cy'), kind: 'pair', arrived: at('10:02'), shared: [], since: new Date(new Date().getFullYear(), 4, 4).getTime(),
    text: 'Hello Bo, Ana gave me your name. I repair stringed instruments and hear you have a cello with a crack in it. Pictures are at studio.example/cello' },
];

const who = (about, name) => ({
  about, name, others: 1, devices: 5, host: 'example.org',
  holders: [
    { account: ana.account, handle: ana.handle, name: 'Ana', tint: 1, self: false, compared: ana.compared, devices: ['kitchen laptop', 'desk'] },
    { account: self.account, handle: self.handle, name: 'Bo', tint: 2, self: true, devices: ['this computer', 'office', 'travel laptop'] },
  ],
  keeps: about === 'message'
    ? [{ what: 'message', value: 'nothing-erased', time: at('9:51') }, { what: 'before', value: 'one-entry', bytes: 1024 }, { what: 'never', value: 'words-names-members' }]
    : [{ what: 'message', value: 'until-fetched', seconds: 2_592_000 }, { what: 'room', value: 'log-and-cursors', count: 5 }, { what: 'never', value: 'words-names-members' }],
  timeline: about === 'message'
    ? [{ what: 'written', time: at('9:44'), done: true }, { what: 'stored', time: at('9:44'), done: true }, { what: 'erased', time: at('9:51'), done: true }, { what: 'vanishes', time: at('9:51', -7), done: false }]
    : [],
  limits: ['show-to-others', 'unlocked-device', 'traffic'],
  ...(about === 'message' ? { quote: message('Under the thyme, then.') } : {}),
});

const refuse = (status, code, text, field) => ({ status, failure: { code, text, field } });
const hits = [
  ['The ladder is in the shed, behind the blue door. Key where it always is.', 'ladder', ana, 'Ana', true],
  ['I can bring the ladder', 'ladder', cy, 'Kitchen table', false],
  ['The tall ladder wobbles on the left side; whoever holds it should stand there, and not look up when somebody drops a brush from it.', 'ladder', ana, 'Harbour trip', false],
];

/** The states of the whole app, by the name in the cookie. */
const states = {
  new: { phase: 'new', self: undefined, hosts: [], keyring: true },
  nokeyring: { phase: 'new', self: undefined, hosts: [], keyring: false },
  invited: { phase: 'new', self: undefined, hosts: [], keyring: true, invitation: 'https://example.org/i#ana' },
  locked: { phase: 'locked', self: undefined, custody: 'passphrase', keyring: false },
};

/** answers to the calls of the pages; mode is the state of the app in the cookie. */
export const answers = {
  'GET /state': ({ mode }) => ({ ...state, ...states[mode] }),
  'GET /settings': () => settings,
  'PATCH /settings': ({ body }) => Object.assign(settings, body),
  'POST /unlock': ({ body }) => (body.passphrase === 'open sesame' ? undefined : refuse(403, 'passphrase', 'that is not the passphrase')),
  'PUT /custody': ({ body }) => { state.custody = body.custody; },
  'POST /lock': () => undefined,
  'POST /quit': () => undefined,
  'POST /links/inspect': ({ body }) => body.link.endsWith('#room')
    ? { kind: 'room', host: 'example.org', handle: ana.handle, name: 'Ana', title: 'Kitchen table', until: now() + 3 * day, approve: true }
    : body.link.includes('#') ? { kind: 'account', host: 'example.org', handle: ana.handle, name: 'Ana', until: now() + (7 - new Date().getDay() || 7) * day } : refuse(400, 'malformed', 'this is not an invitation link: it ends with a # and what follows it', 'link'),
  'GET /servers': ({ query }) => /\./.test(query.host) ? { host: query.host.toLowerCase(), open: query.host.startsWith('open') } : refuse(502, 'unreachable', `${query.host} does not answer: check its name`),
  'GET /names': ({ query }) => ({ handle: query.handle, free: !query.handle.startsWith('ana@') }),
  'POST /account': () => self,
  'DELETE /account': () => undefined,
  'POST /server': () => (state.server = { host: '192.168.1.20:7700', running: true, reach }),
  'DELETE /server': () => { state.server = undefined; },
  'GET /rooms': ({ mode }) => (mode === 'empty' ? [] : rooms),
  'POST /rooms': ({ body }) => room(body.title),
  'POST /rooms/self': () => rooms[1],
  'POST /rooms/join': () => ({ waiting: true }),
  'GET /rooms/{room}': ({ room }) => details.get(room) ?? refuse(404, 'no such room', 'this conversation is not on this device'),
  'PATCH /rooms/{room}': ({ room, body }) => Object.assign(details.get(room), { ...(body.title ? { name: body.title } : {}), ...(body.disappear !== undefined ? { disappear: body.disappear } : {}) }),
  'PATCH /rooms/{room}/mine': ({ room, body }) => Object.assign(details.get(room), body, body.muted_until === undefined ? {} : { muted: body.muted_until !== 0 }),
  'DELETE /rooms/{room}': () => undefined,
  'POST /rooms/{room}/leave': ({ room }) => { details.get(room).state = 'left'; },
  'POST /rooms/{room}/clear': () => undefined,
  'POST /rooms/{room}/members': ({ room }) => details.get(room),
  'DELETE /rooms/{room}/members/{account}': ({ room, account }) => { const r = details.get(room); r.people = r.people.filter((m) => m.account !== account); return r; },
  'PUT /rooms/{room}/members/{account}/admin': ({ room, account, body }) => { const r = details.get(room); r.people = r.people.map((m) => (m.account === account ? { ...m, admin: body.admin } : m)); return { ...r }; },
  'POST /rooms/{room}/links': ({ room, body }) => { const l = link(body.hours, body.approve); details.get(room).links.push(l); return l; },
  'DELETE /rooms/{room}/links/{link}': ({ room, link }) => { const r = details.get(room); r.links = r.links.filter((l) => l.id !== link); },
  'POST /rooms/{room}/knocks/{knock}': ({ room }) => { details.get(room).waiting = []; },
  'GET /rooms/{room}/who': ({ room }) => who('room', details.get(room)?.name ?? ''),
  'GET /messages/{message}/who': () => who('message', 'Ana'),
  'GET /people/{account}/who': ({ account }) => who('person', everybody.find((p) => p.account === account)?.name ?? 'Cy'),
  'GET /search': ({ query, mode }) => mode === 'empty' || query.q === 'nothing' ? { hits: [] } : {
    hits: hits.filter((h) => !query.starred || h[4]).map(([text, word, p, name, starred], i) => {
      const from = text.indexOf(word);
      return { message: message(text, { own: false, account: p.account, name: p.name, tint: p.tint, starred, sent: at('9:41', i * 5), room: id('room-' + name.toLowerCase()) }), room_name: name, snippet: text, marks: [from, from + word.length] };
    }),
  },
  'GET /people': ({ mode }) => (mode === 'empty' ? [] : everybody),
  'POST /people/find': ({ body }) => everybody.find((p) => p.handle === body.handle) ?? refuse(404, 'no such handle', `nobody has the handle ${body.handle} at this server`, 'handle'),
  'GET /people/{account}': ({ account }) => {
    const p = everybody.find((p) => p.account === account);
    if (account === self.account) return { ...person({ ...ana, ...self }), devices: [{ name: 'Desk', added: at('10:00', 200), self: true }] };
    return p ? person(p) : refuse(404, 'no such person', 'this device does not know this person');
  },
  'PATCH /people/{account}': ({ account, body }) => {
    const p = everybody.find((p) => p.account === account);
    if (body.compared !== undefined) Object.assign(p, { compared: body.compared ? now() : undefined, changed: false });
    if (body.nickname !== undefined) Object.assign(p, { nickname: body.nickname, name: body.nickname || p.own });
    if (body.blocked !== undefined) p.blocked = body.blocked;
    if (body.contact !== undefined) p.contact = body.contact;
    return person(p);
  },
  'GET /requests': ({ mode }) => (mode === 'empty' ? [] : requests),
  'POST /requests/{account}': () => undefined,
  'POST /reports': ({ body }) => ({ to: 'studio.example', text: `Report about account ${body.account}\n\n"Hello Bo, Ana gave me your name."\nsigned: 5f2c…` }),
  'PATCH /me': ({ body }) => Object.assign(self, body, body.picture === undefined ? {} : { picture: undefined }),
  'POST /me/links': ({ body }) => link(body.hours, false),
  'GET /storage': () => ({ database: 18_400_000, messages: 8210, rooms: rooms.slice(0, 5).map((r, i) => ({ room: r.id, name: r.name, messages: 4100 >> i, bytes: 9_000_000 >> i })) }),
  'GET /notices': ({ mode }) => (mode === 'empty' ? [] : [
    { id: 1, kind: 'device', room: id('room-ana'), time: at('9:20', 1), text: 'Ana linked a new device, Travel laptop' },
    { id: 2, kind: 'host', time: at('9:12'), text: 'studio.example is not answering. Your messages wait here and go by themselves' },
  ]),
  'PUT /notices/told': ({ body }) => { state.news_through = body.through; },
  'GET /qr': ({ query }) => ({ rows: noCode(query.text) }),
  'PUT /window': () => undefined,
};

/** handle answers one request of the table above; false: none fits. */
export async function handle(req, res) {
  const url = new URL(req.url, 'http://mock');
  const mode = /(?:^|; )mock=(\w+)/.exec(req.headers.cookie ?? '')?.[1];
  if (!mode) return false;
  for (const [route, answer] of Object.entries(answers)) {
    const [method, path] = route.split(' ');
    if (method !== req.method) continue;
    const m = new RegExp(`^${path.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`).exec(url.pathname);
    if (!m) continue;
    const chunks = [];
    for await (const c of req) chunks.push(c);
    const body = chunks.length ? JSON.parse(Buffer.concat(chunks).toString()) : undefined;
    const out = answer({ ...m.groups, query: Object.fromEntries(url.searchParams), body, mode });
    if (out?.failure) return send(res, out.status, out.failure);
    return out === undefined ? send(res, 204) : send(res, 200, out);
  }
  return false;
}

function send(res, status, body) {
  res.statusCode = status;
  if (body !== undefined) res.setHeader('Content-Type', 'application/json');
  res.end(body === undefined ? undefined : JSON.stringify(body));
  return true;
}
