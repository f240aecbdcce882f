import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Call, CallMedia, Candidate } from '../api/types';
import { FakeConnection, offerOf } from './paper';
import { patience, Peer, type Signalling } from './peer';
import { tell } from './said';

const call = { id: 'c1', room: 'r1', name: 'Ana', tint: 1, stage: 'ringing' } as Call;
const line = (candidate: string): Candidate => ({ mid: '0', line: 0, candidate });
const media = (m: Partial<CallMedia>): CallMedia => ({ call, round: 0, candidates: [], ...m });

/** A peer with an app and a connection of paper. */
function stage(o: { only?: boolean; media?: CallMedia; renew?: () => Promise<CallMedia>; answered?: () => Promise<void> } = {}) {
  const did: string[] = [];
  const over: string[] = [];
  let pc!: FakeConnection;
  let asked = 0;
  const signalling: Signalling = {
    relays: async () => ({ servers: [{ urls: ['turn:example.org:3478'], username: 'u', credential: `p${++asked}` }], only: o.only ?? false }),
    call: async (n) => (did.push(`call ${n.room} ${n.video} ${n.window}`), call),
    media: async () => o.media ?? media({ offer: offerOf(1) }),
    answer: async (_, d) => (did.push(`answer ${d.window}`), await o.answered?.(), { ...call, stage: 'talking' }),
    candidates: async (_, c) => void did.push(`candidates ${c.round} ${c.candidates.map((x) => x.candidate).join(',')}`),
    renew: async () => (did.push('renew'), (o.renew ?? (async () => media({ round: 1 })))()),
    renewed: async (_, round) => void did.push(`renewed ${round}`),
    end: async (_, e) => void did.push(`end ${e.end}`),
  };
  const peer = new Peer({ signalling, window: 'w', changed: () => undefined, over: (end) => over.push(end), connect: (c) => (pc = new FakeConnection(c)) as unknown as RTCPeerConnection });
  return { peer, did, over, get pc() { return pc; } };
}

const settle = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('MediaStream', class {});
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('who calls', () => {
  test('offers five parts in their order, and candidates when the call has a name', async () => {
    const s = stage();
    const started = s.peer.start('r1', true);
    await started;
    expect(s.did).toEqual(['call r1 true w']);
    expect(s.pc.kinds).toEqual(['audio', 'video', 'video', 'audio']);
    expect(s.pc.channel).toEqual({ negotiated: true, id: 0, ordered: true });
    s.pc.finds('one');
    await vi.advanceTimersByTimeAsync(30);
    expect(s.did.at(-1)).toBe('candidates 0 one');
  });

  test('takes relayed paths only where the app says so', async () => {
    const s = stage({ only: true });
    await s.peer.start('r1', false);
    expect(s.pc.config.iceTransportPolicy).toBe('relay');
    expect(s.pc.config.iceServers?.[0]?.credential).toBe('p1');
  });

  test('keeps candidates that come before the answer, takes each once, and none of another round', async () => {
    const s = stage();
    await s.peer.start('r1', false);
    s.peer.take(media({ candidates: [line('a')] }));
    await settle();
    expect(s.pc.added).toEqual([]);
    s.peer.take(media({ answer: offerOf(2), candidates: [line('a'), line('b'), line('')] }));
    s.peer.take(media({ round: 4, candidates: [line('later')] }));
    await settle();
    expect(s.pc.added).toEqual(['a', 'b']);
    expect(s.peer.link).toBe('joining');
  });

  test('takes no answer with other parts', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const s = stage();
    await s.peer.start('r1', false);
    s.peer.take(media({ answer: 'v=0\r\nm=audio 9 X 0\r\n' }));
    await settle();
    expect(s.pc.signalingState).toBe('have-local-offer');
    expect(s.peer.link).toBe('new');
  });

  test('who hangs up before the call has a name ends it when it has', async () => {
    const s = stage();
    const started = s.peer.start('r1', false);
    await s.peer.hangUp({ end: 'hung_up' });
    await started;
    expect(s.did).toEqual(['call r1 false w', 'end hung_up']);
  });
});

describe('who answers', () => {
  test('answers in the same parts, both ways', async () => {
    const s = stage();
    await s.peer.answer(call);
    expect(s.did).toEqual(['answer w']);
    expect(s.pc.directions).toEqual(['sendrecv', 'sendrecv', 'sendrecv', 'sendrecv']);
    expect(s.peer.link).toBe('joining');
  });

  test('what is said meanwhile is taken afterwards, and the offer is answered once', async () => {
    const s = stage();
    const answered = s.peer.answer(call);
    s.peer.take(media({ offer: offerOf(1), candidates: [line('a')] }));
    await answered;
    await settle();
    expect(s.did).toEqual(['answer w']);
    expect(s.pc.added).toEqual(['a']);
  });

  test('who is connected before the app has answered stays so', async () => {
    const s = stage({ answered: async () => s.pc.becomes('connected') });
    await s.peer.answer(call);
    expect(s.peer.link).toBe('open');
    await vi.advanceTimersByTimeAsync(2 * patience);
    expect(s.over).toEqual([]);
  });

  test('not to an offer with other parts', async () => {
    const s = stage({ media: media({ offer: 'v=0\r\nm=video 9 X 0\r\n' }) });
    await expect(s.peer.answer(call)).rejects.toThrow('other parts');
    expect(s.did).toEqual([]);
  });
});

describe('a connection that breaks', () => {
  async function joined(o: Parameters<typeof stage>[0] = {}) {
    const s = stage(o);
    await s.peer.start('r1', false);
    s.peer.take(media({ answer: offerOf(2) }));
    await settle();
    s.pc.becomes('connected');
    expect(s.peer.link).toBe('open');
    return s;
  }

  test('is renewed after three seconds, not before', async () => {
    const s = await joined();
    s.pc.becomes('disconnected');
    expect(s.peer.link).toBe('lost');
    await vi.advanceTimersByTimeAsync(2_900);
    expect(s.did).not.toContain('renew');
    await vi.advanceTimersByTimeAsync(200);
    expect(s.did).toContain('renew');
    expect(s.pc.config.iceServers?.[0]?.credential).toBe('p2');
    s.peer.take(media({ round: 1, answer: offerOf(2), candidates: [line('new')] }));
    await settle();
    s.pc.becomes('connected');
    expect(s.peer.link).toBe('open');
    expect(s.pc.added).toEqual(['new']);
    await vi.advanceTimersByTimeAsync(2 * patience);
    expect(s.over).toEqual([]);
  });

  test('that comes back by itself is left alone', async () => {
    const s = await joined();
    s.pc.becomes('disconnected');
    await vi.advanceTimersByTimeAsync(2_000);
    s.pc.becomes('connected');
    await vi.advanceTimersByTimeAsync(2 * patience);
    expect(s.did).not.toContain('renew');
    expect(s.over).toEqual([]);
  });

  test('is given up after 45 seconds, and the other side is told', async () => {
    const s = await joined();
    s.pc.becomes('failed');
    await vi.advanceTimersByTimeAsync(patience - 100);
    expect(s.over).toEqual([]);
    await vi.advanceTimersByTimeAsync(200);
    expect(s.over).toEqual(['failed']);
    expect(s.did.at(-1)).toBe('end failed');
  });

  test('both renew: the later one drops its own and answers', async () => {
    const s = await joined({ renew: async () => media({ round: 1, offer: offerOf(3), candidates: [line('theirs')] }) });
    s.pc.becomes('failed');
    await vi.advanceTimersByTimeAsync(10);
    expect(s.pc.rolledBack).toBe(1);
    expect(s.did).toContain('renewed 1');
    expect(s.pc.added).toEqual(['theirs']);
    s.pc.finds('own');
    await vi.advanceTimersByTimeAsync(30);
    expect(s.did.at(-1)).toBe('candidates 1 own');
  });

  test('a renewal that the app refuses is taken back and tried again', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    let refused = 0;
    const s = await joined({ renew: async () => { if (!refused++) throw new Error('away'); return media({ round: 1 }); } });
    s.pc.becomes('failed');
    await vi.advanceTimersByTimeAsync(10);
    expect(s.pc.signalingState).toBe('stable');
    await vi.advanceTimersByTimeAsync(8_100);
    expect(s.did.filter((d) => d === 'renew')).toHaveLength(2);
  });
});

describe('the channel', () => {
  test('says what is on when it opens and at each change, and bye at the end', async () => {
    const s = stage();
    await s.peer.start('r1', false);
    s.peer.say({ mic: true });
    expect(s.pc.said).toEqual([]);
    s.pc.opens();
    s.peer.say({ camera: true });
    await s.peer.hangUp({ end: 'hung_up' });
    expect(s.pc.said.map((x) => JSON.parse(x) as unknown)).toEqual([
      { v: 1, mic: true, camera: false, screen: false, hold: false }, { v: 1, mic: true, camera: true, screen: false, hold: false }, { v: 1, bye: true },
    ]);
    expect(s.did.at(-1)).toBe('end hung_up');
    expect(s.pc.closed).toBe(true);
  });

  test('bye of the other side ends the call here, junk does not', async () => {
    const s = stage();
    await s.peer.answer(call);
    s.pc.hears('junk');
    s.pc.hears(tell({ mic: true, camera: false, screen: false, hold: true }));
    expect(s.peer.theirs?.hold).toBe(true);
    expect(s.over).toEqual([]);
    s.pc.hears('{"v":1,"bye":true}');
    expect(s.over).toEqual(['hung_up']);
    expect(s.did).not.toContain('end hung_up');
  });

  test('on hold nothing is sent, and afterwards what was sent before', async () => {
    const s = stage();
    await s.peer.start('r1', false);
    const track = {} as MediaStreamTrack;
    await s.peer.give(0, track);
    await s.peer.hold(true);
    expect(s.pc.sent[0]).toBeNull();
    await s.peer.hold(false);
    expect(s.pc.sent[0]).toBe(track);
  });
});
