import { describe, expect, test } from 'vitest';
import type { Call, NewCandidates } from '../api/types';
import { Outgoing } from './candidates';
import { described, keeps, ordered } from './layout';
import { loud } from './level';
import { missed, outcome } from './past';
import { Looker } from './quality';
import { bye, hear, tell } from './said';

const sdp = (...lines: string[]) => lines.join('\r\n') + '\r\n';

describe('the layout', () => {
  test('Opus has repair and silence, whatever the browser says of it', () => {
    const said = described(sdp('v=0', 'm=audio 9 UDP/TLS/RTP/SAVPF 111 0', 'a=rtpmap:111 opus/48000/2', 'a=fmtp:111 minptime=10;useinbandfec=0', 'a=rtpmap:0 PCMU/8000', 'a=fmtp:0 x=1'));
    expect(said).toContain('a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1\r\n');
    expect(said).toContain('a=fmtp:0 x=1\r\n');
    expect(described(sdp('a=rtpmap:109 opus/48000/2', 'a=mid:0'))).toBe(sdp('a=rtpmap:109 opus/48000/2', 'a=fmtp:109 useinbandfec=1;usedtx=1', 'a=mid:0'));
    expect(described(said)).toBe(said);
  });

  test('VP8 comes first, then VP9, AV1, H264; repair follows; others are not offered', () => {
    const codecs = ['video/H264', 'video/rtx', 'video/AV1', 'video/VP9', 'video/H265', 'video/VP8', 'video/ulpfec'].map((mimeType) => ({ mimeType }));
    expect(ordered(codecs).map((c) => c.mimeType)).toEqual(['video/VP8', 'video/VP9', 'video/AV1', 'video/H264', 'video/rtx', 'video/ulpfec']);
  });

  test('a description keeps the five parts or is none', () => {
    const m = (...kinds: string[]) => sdp('v=0', ...kinds.map((k) => `m=${k} 9 UDP/TLS/RTP/SAVPF 96`));
    expect(keeps(m('audio', 'video', 'video', 'audio', 'application'))).toBe(true);
    expect(keeps(m('audio', 'video', 'audio', 'video', 'application'))).toBe(false);
    expect(keeps(m('audio', 'video', 'video', 'audio'))).toBe(false);
    expect(keeps(m('audio', 'video', 'video', 'audio', 'application', 'video'))).toBe(false);
    expect(keeps('')).toBe(false);
  });
});

describe('what the two sides tell each other', () => {
  const sends = { mic: true, camera: false, screen: true, hold: false };

  test('is heard as it was told', () => {
    expect(hear(tell(sends))).toEqual({ kind: 'sends', sends });
    expect(hear(bye)).toEqual({ kind: 'bye' });
    expect(hear(JSON.stringify({ v: 1, ...sends, blink: true }))).toEqual({ kind: 'sends', sends });
  });

  test.each([
    ['no JSON', '{'], ['no object', '[]'], ['nothing', 'null'], ['another version', JSON.stringify({ v: 2, ...sends })],
    ['no version', JSON.stringify(sends)], ['half of it', JSON.stringify({ v: 1, mic: true })], ['other kinds', JSON.stringify({ v: 1, ...sends, mic: 1 })],
    ['bytes', new ArrayBuffer(4)], ['too long', JSON.stringify({ v: 1, ...sends, more: 'x'.repeat(4096) })],
    ['too long in bytes', JSON.stringify({ v: 1, ...sends, more: 'ü'.repeat(2100) })],
  ])('%s is not understood, and ends nothing', (_, data) => expect(hear(data)).toBeUndefined());
});

describe('candidates on their way out', () => {
  const c = (candidate: string) => ({ candidate, sdpMid: '0', sdpMLineIndex: 0 }) as RTCIceCandidate;

  test('wait until the round is known, and go together', () => {
    const sent: NewCandidates[] = [];
    const out = new Outgoing(async (x) => void sent.push(x));
    out.add(c('one'));
    out.add(c('two'));
    expect(sent).toEqual([]);
    out.knows(3);
    expect(sent).toEqual([{ round: 3, candidates: [{ mid: '0', line: 0, candidate: 'one' }, { mid: '0', line: 0, candidate: 'two' }] }]);
    out.stop();
  });

  test('of a round that was dropped are dropped', () => {
    const sent: NewCandidates[] = [];
    const out = new Outgoing(async (x) => void sent.push(x));
    out.add(c('old'));
    out.next();
    out.add(c('new'));
    out.knows(1);
    expect(sent.flatMap((s) => s.candidates.map((x) => x.candidate))).toEqual(['new']);
    out.stop();
  });

  test('are 64 at most, the last word among them', () => {
    const sent: NewCandidates[] = [];
    const out = new Outgoing(async (x) => void sent.push(x));
    for (let i = 0; i < 100; i++) out.add(c(`c${i}`));
    out.add(null);
    out.knows(0);
    const all = sent.flatMap((s) => s.candidates.map((x) => x.candidate));
    expect(all).toHaveLength(64);
    expect(all.at(-1)).toBe('');
    out.stop();
  });
});

describe('how a call goes', () => {
  interface Line { id: string; type: string; [name: string]: unknown }
  const report = (more: Line[] = []): Line[] => [
    { id: 'T', type: 'transport', timestamp: 1000, selectedCandidatePairId: 'P' },
    { id: 'P', type: 'candidate-pair', timestamp: 1000, localCandidateId: 'L', remoteCandidateId: 'R', currentRoundTripTime: 0.034 },
    { id: 'L', type: 'local-candidate', timestamp: 1000, candidateType: 'host' },
    { id: 'C', type: 'codec', timestamp: 1000, mimeType: 'audio/opus' },
    ...more,
  ];

  test('direct or relayed: by both ends of the path', () => {
    const way = (local: string, remote: string) => new Looker().look([...report().filter((s) => s.id !== 'L'), { id: 'L', type: 'local-candidate', candidateType: local }, { id: 'R', type: 'remote-candidate', candidateType: remote }]).path;
    expect(way('host', 'srflx')).toBe('direct');
    expect(way('relay', 'host')).toBe('relayed');
    expect(way('host', 'relay')).toBe('relayed');
    expect(new Looker().look([]).path).toBe('unknown');
  });

  test('a pair that is marked counts where there is no transport', () => {
    const q = new Looker().look([{ id: 'P', type: 'candidate-pair', timestamp: 1, selected: true, localCandidateId: 'L', remoteCandidateId: 'R' }, { id: 'L', type: 'local-candidate', timestamp: 1, candidateType: 'relay' }]);
    expect(q.path).toBe('relayed');
  });

  test('losses and rates are of the time since the last look', () => {
    const looker = new Looker();
    const audio = (timestamp: number, bytesReceived: number, packetsReceived: number, packetsLost: number) => ({ id: 'A', type: 'inbound-rtp', kind: 'audio', timestamp, bytesReceived, packetsReceived, packetsLost, codecId: 'C', audioLevel: 0.25 });
    looker.look(report([audio(1000, 4000, 50, 0)]));
    const q = looker.look(report([audio(2000, 8000, 99, 1)]));
    expect(q.delay).toBeCloseTo(34);
    expect(q.lost).toBeCloseTo(0.02);
    expect(q.sound).toEqual({ codec: 'Opus', rate: 32_000 });
    expect(q.heard).toBe(0.25);
  });

  test('one sees the larger of two pictures, and none that stands still', () => {
    const video = (id: string, frameWidth: number, frameHeight: number, framesPerSecond?: number) => ({ id, type: 'inbound-rtp', kind: 'video', timestamp: 1, frameWidth, frameHeight, framesPerSecond });
    expect(new Looker().look([video('a', 640, 480, 30), video('b', 1280, 720, 15)]).sees).toEqual({ width: 1280, height: 720, rate: 15 });
    expect(new Looker().look([video('a', 640, 480, 0)]).sees.rate).toBe(0);
  });

  test('loudness goes by ear', () => {
    expect(loud(new Float32Array(256))).toBe(0);
    expect(loud(new Float32Array(256).fill(1))).toBe(1);
    expect(loud(new Float32Array(256).fill(0.01))).toBeGreaterThan(0.2);
  });
});

describe('calls that are over', () => {
  const of = (c: Partial<Call>) => c as Call;

  test.each([
    [{ outgoing: false, end: 'missed' }, true, 'calls.missed'], [{ outgoing: false, end: 'hung_up' }, true, 'calls.missed'],
    [{ outgoing: false, end: 'hung_up', answered: 1 }, false, 'calls.in'], [{ outgoing: true, end: 'hung_up', answered: 1 }, false, 'calls.out'],
    [{ outgoing: true, end: 'missed' }, false, 'calls.noanswer'], [{ outgoing: true, end: 'busy' }, false, 'calls.busy'],
    [{ outgoing: false, end: 'declined' }, false, 'calls.declined'], [{ outgoing: false, end: 'elsewhere' }, false, 'calls.elsewhere'],
    [{ outgoing: true, end: 'failed' }, false, 'calls.failed'],
  ] as const)('%o', (c, is, text) => {
    expect(missed(of(c))).toBe(is);
    expect(outcome(of(c))).toBe(text);
  });
});
