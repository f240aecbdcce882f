// A small mock of the app's API in memory, with the people of the drawings: for work on the
// interface without an app (npm run dev:mock) and for pictures of it. Nothing here is built.

const at = (h, m, day = 12, month = 6, year = 2025) => new Date(year, month - 1, day, h, m).getTime();
const hex = (n) => n.toString(16).padStart(8, '0').repeat(4);
const now = () => Date.now();

const self = { account: hex(0xb0), handle: 'bo@example.org', device: 'Desk', name: 'Bo', status: '' };
const who = {
  ana: { account: hex(0xa1), handle: 'ana@example.org', name: 'Ana', tint: 1 },
  cy: { account: hex(0xc1), handle: 'cy@studio.example', name: 'Cy', tint: 6 },
  dana: { account: hex(0xd1), handle: 'dana@example.org', name: 'דנה כהן', tint: 4 },
  eve: { account: hex(0xe1), handle: 'eve@elsewhere.example', name: 'Eve with a Remarkably Long Name that Goes On', tint: 5 },
  me: { account: self.account, handle: self.handle, name: 'Bo', tint: 2 },
};

let nextID = 1;
const listeners = new Set();
const emit = (e) => listeners.forEach((f) => f(e));

const rooms = new Map();
const messages = new Map();

function room(o) {
  const r = {
    id: hex(0x1000 + rooms.size), kind: 'group', state: 'active', tint: 1, host: 'example.org', unread: 0, mentions: 0, time: now(),
    pinned: false, archived: false, muted: false, compared: false, changed: false, paused: false, here: false, disappear: 0, members: 2, admin: true, knocks: 0, writable: true, ...o,
  };
  rooms.set(r.id, r);
  messages.set(r.id, []);
  return r;
}

function say(r, by, text, sent, more = {}) {
  const p = who[by];
  const list = messages.get(r.id);
  const m = {
    id: hex(0x100000 + nextID++), room: r.id, pos: list.length + 1, kind: 'text', account: p.account, handle: p.handle, name: p.name, tint: p.tint,
    own: by === 'me', text, sent, arrived: sent, state: by === 'me' ? 'read' : 'received', seen: true, ...more,
  };
  list.push(m);
  if (r.time < sent || !r.last) touch(r, m);
  return m;
}

function touch(r, m) {
  r.last = { from: m.own ? '' : m.name, own: m.own, text: m.text.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[*`~]/g, '').split('\n')[0].slice(0, 120), deleted: m.deleted, kind: m.kind, state: m.state };
  r.time = m.sent;
}

function seed() {
  const ana = room({ kind: 'pair', name: 'Ana', handle: who.ana.handle, account: who.ana.account, tint: 1, pinned: true, compared: true, here: true, disappear: 604800, time: 0 });
  say(ana, 'ana', 'Ana set messages here to vanish one week after they are read.', at(9, 40), { kind: 'event' });
  say(ana, 'ana', 'The ladder is in the shed, behind the blue door. Key where it always is.', at(9, 41));
  say(ana, 'ana', 'This one. The other one squeaks.', at(9, 41));
  const q = messages.get(ana.id)[1];
  say(ana, 'me', 'Under the thyme, then.', at(9, 44), { kind: 'reply', reply: { id: q.id, name: 'Ana', own: false, text: 'Key where it always is.' }, reactions: [{ emoji: '🌿', own: false, names: ['Ana'] }] });
  say(ana, 'me', 'The lease comes by post, signed.', at(9, 44), { state: 'queued' });
  say(ana, 'ana', 'I will read you the rest tonight. It is long, and the good part is at the end.', at(9, 52));
  say(ana, 'me', 'On the train. Heard it twice. Back at six.', at(9, 58));

  const notes = room({ kind: 'self', name: 'Notes to self', tint: 5, pinned: true, members: 1, time: 0 });
  say(notes, 'me', 'Boiler: press twice, hold the third time', at(20, 5, 9));

  const kitchen = room({ name: 'Kitchen table', tint: 3, unread: 3, members: 4, time: 0 });
  say(kitchen, 'me', 'Saturday still good?', at(18, 12, 11));
  say(kitchen, 'ana', 'Yes. I bring bread.', at(18, 15, 11));
  say(kitchen, 'eve', 'And I bring the long table, if somebody helps me carry it.', at(18, 20, 11));
  say(kitchen, 'dana', 'אני מביאה סלט', at(9, 30), { seen: false });
  say(kitchen, 'ana', 'Who has the **hooks** for the lamp?', at(9, 41), { seen: false });
  say(kitchen, 'cy', 'I can bring the ladder', at(9, 48), { seen: false });

  const cy = room({ kind: 'pair', name: 'Cy', handle: who.cy.handle, account: who.cy.account, tint: 6, time: 0 });
  say(cy, 'cy', 'Missed call', at(9, 12));
  const harbour = room({ name: 'Harbour trip', tint: 4, draft: 'Shall we take the early one', members: 5, time: 0 });
  say(harbour, 'ana', 'The ferry goes at seven or at ten.', at(17, 0, 11));
  const choir = room({ name: 'Choir, Tuesdays', tint: 2, muted: true, unread: 12, members: 31, time: 0 });
  for (let i = 0; i < 12; i++) say(choir, 'ana', i === 11 ? 'The new score is in the files' : `Bar ${i + 1} again, please, quieter.`, at(20, i, 10), { seen: false });
  const lease = room({ name: 'Lease', tint: 1, state: 'left', writable: false, members: 2, time: 0 });
  say(lease, 'me', 'You left this conversation', at(12, 0, 3), { kind: 'event' });

  const hostile = room({ name: 'Everything at once', tint: 6, members: 4, time: 0 });
  const texts = [
    '*emphasis*, **strong**, ~~gone~~, `code`, and https://example.org/a/long/path?with=query#and-more.',
    '> Somebody said this,\n> over two lines.\n\nAnd I say:\n\n1. one\n2. two\n   - inner\n   - list\n3. three',
    '```go\nfunc main() {\n\tfmt.Println("a line that is much longer than any message in this window would ever like to be, so it scrolls")\n}\n```',
    '[example.org](https://examp1e.example/login) is not where it leads.',
    '<script>alert(1)</script> <img src=x onerror=alert(1)> [click](javascript:alert(1))',
    'a' + '\u0301'.repeat(10_000) + ' Z' + '͎͓̩̤'.repeat(50) + 'algo',
    '\u202Egnp.exe is turned around \u202E and never closed',
    'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft'.repeat(3),
    Array.from({ length: 60 }, (_, i) => `Line ${i + 1} of a long letter.`).join('\n'),
    'word '.repeat(30_000),
    '🌿', '👩‍👩‍👧👍🏽',
    'مرحبا بكم في sotto، كيف حالكم اليوم؟',
  ];
  texts.forEach((x, i) => say(hostile, ['ana', 'cy', 'eve', 'me'][i % 4], x, at(8, i, 12)));
  say(hostile, 'ana', 'taken', at(8, 40), { deleted: true, text: '' });
  say(hostile, 'me', 'This did not go.', at(8, 41), { state: 'failed', why: 'the room is full. Try again tonight, or ask Ana to make room.' });
  say(hostile, 'me', 'Edited, starred and pinned.', at(8, 42), { edited: true, starred: true, pinned: true, state: 'stored' });
  hostile.time = at(8, 42, 2);

  const long = room({ name: 'A hundred thousand', tint: 2, members: 4, time: 0 });
  const people = ['ana', 'cy', 'me', 'eve'];
  for (let i = 0; i < 100_000; i++) say(long, people[(i >> 2) % 4], `Message ${i + 1}. ${'la '.repeat((i * 7) % 40)}`, at(8, 0, 1, 1) + i * 60_000);
  long.time = at(7, 0, 1);
  for (let i = 0; i < Number(process.env.MOCK_ROOMS ?? 0); i++) {
    const r = room({ name: `Room number ${i + 1}`, tint: (i % 6) + 1, time: 0 });
    say(r, 'ana', `Something about ${i + 1}`, at(7, 0, 1, 5) - i * 3_600_000);
  }
}
seed();

const settings = { theme: 'system', language: '', enter_sends: true, single_keys: true, text_size: 100, notify: 'text', sounds: true, receipts: true, typing: true, presence: true, lock_after: 0, at_login: false, retention: 0, disappear: 0, recent_emoji: '' };

const person = (p) => ({ account: p.account, handle: p.handle, name: p.name, own: p.name, nickname: '', status: '', tint: p.tint, contact: true, blocked: false, compared: p === who.ana ? at(12, 0, 3, 3) : 0, changed: false, paused: false, here: p === who.ana });
const detail = (r) => ({
  ...r,
  people: [who.me, ...(r.kind === 'pair' ? [Object.values(who).find((p) => p.account === r.account)] : r.kind === 'self' ? [] : [who.ana, who.cy, who.dana, who.eve].slice(0, Math.max(1, r.members - 1)))].map((p) => ({ account: p.account, handle: p.handle, name: p.name, tint: p.tint, admin: p === who.me, self: p === who.me, compared: p === who.ana, changed: false, paused: false, here: p === who.ana, devices: 2 })),
  pins: messages.get(r.id).slice(-500).filter((m) => m.pinned), links: [], waiting: [], created: at(9, 0, 2, 3), ttl: 2_592_000,
});

const state = () => ({
  phase: 'open', version: 'dev', custody: 'file', keyring: false, self, hosts: [{ host: 'example.org', home: true, up: true }], requests: 0,
  unread: 3, news_through: 0,
});

function page(r, q) {
  const all = messages.get(r.id);
  const limit = Number(q.get('limit') ?? 60);
  let from = Math.max(0, all.length - limit);
  let target, first_unread;
  const around = (i) => Math.max(0, Math.min(i - (limit >> 1), all.length - limit));
  if (q.get('before')) {
    const i = all.findIndex((m) => m.pos >= Number(q.get('before')));
    return cutAt(all, Math.max(0, i - limit), i);
  }
  if (q.get('after')) {
    const i = all.findLastIndex((m) => m.pos <= Number(q.get('after'))) + 1;
    return cutAt(all, i, i + limit);
  }
  if (q.get('around')) { const i = all.findIndex((m) => m.id === q.get('around')); target = all[i]?.id; from = around(i); }
  if (q.get('date')) { const i = all.findIndex((m) => m.sent >= Number(q.get('date'))); target = all[i]?.id; from = i < 0 ? from : around(i); }
  if (q.get('unread')) { const i = all.findIndex((m) => !m.seen && !m.own); first_unread = target = all[i]?.id; from = i < 0 ? from : around(i); }
  return { ...cutAt(all, from, from + limit), target, first_unread };
}
const cutAt = (all, from, to) => ({ messages: all.slice(from, to), more_before: from > 0, more_after: to < all.length });

const find = (id) => { for (const list of messages.values()) { const m = list.find((x) => x.id === id); if (m) return m; } return undefined; };

function changed(m) {
  emit({ type: 'changed', room: m.room, message: m });
  return m;
}

async function route(method, path, q, body) {
  const p = path.split('/').filter(Boolean);
  const r = p[0] === 'rooms' && p[1] ? rooms.get(p[1]) : undefined;
  const key = `${method} ${p[0]}${p[0] === 'rooms' && p[2] ? '/' + p[2] : p[0] === 'messages' && p[2] ? '/' + p[2] : ''}`;
  switch (key) {
    case 'GET state': return state();
    case 'POST session': return { key: 'mock' };
    case 'PUT window': return null;
    case 'GET settings': return settings;
    case 'PATCH settings': return Object.assign(settings, body);
    case 'GET rooms': return p[1] ? (r ? detail(r) : undefined) : [...rooms.values()].filter((x) => x.archived === (q.get('archived') === 'true')).sort((a, b) => b.time - a.time);
    case 'PATCH rooms': Object.assign(r, body); emit({ type: 'room', room: r.id, row: r }); return detail(r);
    case 'PATCH rooms/mine': Object.assign(r, body, body.muted_until === undefined ? {} : { muted: body.muted_until !== 0 }); return r;
    case 'GET rooms/messages': return r && page(r, q);
    case 'POST rooms/seen': for (const m of messages.get(r.id)) m.seen = true; r.unread = r.mentions = 0; emit({ type: 'room', room: r.id, row: r }); return null;
    case 'POST rooms/typing': return null;
    case 'GET people': return p[1] ? { ...person(Object.values(who).find((x) => x.account === p[1]) ?? who.ana), number: '', qr: '', since: at(9, 0, 2, 3), devices: [], rooms: [], changes: [] } : [who.ana, who.cy, who.dana, who.eve].map(person);
    case 'GET requests': return [];
    case 'GET notices': return [{ id: 1, kind: 'words', time: at(9, 0), text: 'Your 24 words are not written down.' }];
    case 'PUT notices': return null;
    case 'GET search': {
      const t = (q.get('q') ?? '').toLowerCase();
      const hits = [...messages].filter(([id]) => !q.get('room') || q.get('room') === id).flatMap(([id, list]) => list.filter((m) => m.text.toLowerCase().includes(t)).map((message) => ({ message, room_name: rooms.get(id).name, snippet: message.text.slice(0, 100), marks: [] })));
      return { hits: hits.sort((a, b) => b.message.sent - a.message.sent).slice(0, Number(q.get('limit') ?? 30)) };
    }
    case 'POST messages': {
      const to = rooms.get(body.to) ?? [...rooms.values()].find((x) => x.handle === body.to);
      const reply = body.reply && find(body.reply);
      const m = say(to, 'me', body.text, now(), { state: 'queued', ...(reply ? { kind: 'reply', reply: { id: reply.id, name: reply.name, own: reply.own, text: reply.text } } : {}) });
      touch(to, m);
      ['stored', 'delivered', 'read'].forEach((s, i) => setTimeout(() => { m.state = s; changed({ ...m }); }, 600 * (i + 1)));
      emit({ type: 'room', room: to.id, row: to });
      if (to.kind === 'pair') {
        setTimeout(() => emit({ type: 'writing', room: to.id, person: to.account, on: true }), 1500);
        setTimeout(() => {
          const by = Object.keys(who).find((k) => who[k].account === to.account);
          const a = say(to, by, `I heard: ${body.text.slice(0, 60)}`, now(), { seen: false });
          touch(to, a);
          to.unread++;
          emit({ type: 'message', room: to.id, message: a });
          emit({ type: 'room', room: to.id, row: to });
        }, 4000);
      }
      return m;
    }
    case 'PATCH messages': { const m = find(p[1]); Object.assign(m, { text: body.text, edited: true }); return changed({ ...m }); }
    case 'DELETE messages': { const m = find(p[1]); if (q.get('here')) { messages.set(m.room, messages.get(m.room).filter((x) => x !== m)); emit({ type: 'gone', room: m.room, id: m.id }); } else { Object.assign(m, { deleted: true, text: '', reactions: [] }); changed({ ...m }); } return null; }
    case 'PUT messages/reaction': { const m = find(p[1]); m.reactions = (m.reactions ?? []).map((x) => ({ ...x, own: false })).filter((x) => x.names.length); if (body.emoji) { const hit = m.reactions.find((x) => x.emoji === body.emoji); if (hit) hit.own = true; else m.reactions.push({ emoji: body.emoji, own: true, names: [] }); } return changed({ ...m }); }
    case 'PUT messages/star': { const m = find(p[1]); m.starred = body.on; return changed({ ...m }); }
    case 'PUT messages/pin': { const m = find(p[1]); m.pinned = body.on; return changed({ ...m }); }
    case 'POST messages/forward': return [];
    case 'POST messages/retry': { const m = find(p[1]); m.state = 'queued'; return changed({ ...m }); }
    case 'GET messages': return find(p[1]);
    default: return undefined;
  }
}

export async function handle(req, res) {
  const url = new URL(req.url, 'http://x');
  if (url.pathname === '/events') {
    res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    const write = (e) => res.write(`data: ${JSON.stringify(e)}\n\n`);
    write({ type: 'hello' });
    listeners.add(write);
    const ana = [...rooms.values()][0];
    const beat = () => write({ type: 'writing', room: ana.id, person: ana.account, on: true });
    const timer = process.env.MOCK_WRITING ? setInterval(beat, 3000) : undefined;
    if (timer) beat();
    req.on('close', () => { listeners.delete(write); clearInterval(timer); });
    return;
  }
  let text = '';
  for await (const piece of req) text += piece;
  const out = await route(req.method, url.pathname, url.searchParams, text ? JSON.parse(text) : undefined);
  if (out === undefined) {
    res.writeHead(404, { 'Content-Type': 'application/json' });
    return res.end(JSON.stringify({ code: 'no such room', text: 'that is not here' }));
  }
  if (out === null) { res.writeHead(204); return res.end(); }
  res.writeHead(200, { 'Content-Type': 'application/json' });
  res.end(JSON.stringify(out));
}
