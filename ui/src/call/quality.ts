// How a call goes, read from the statistics of the connection (W3C webrtc-stats).

/** Size and rate of a picture; 0 while there is none. */
export interface Seen {
  width: number;
  height: number;
  rate: number;
}

export interface Quality {
  /** How the packets go; unknown until a path is chosen. */
  path: 'direct' | 'relayed' | 'unknown';
  /** There and back, in milliseconds; undefined until it is measured. */
  delay?: number;
  /** Of what the other side sent, the part that was lost since the last look, 0 to 1. */
  lost?: number;
  /** What one sees, and what the other side is sent. */
  sees: Seen;
  shows: Seen;
  /** The codec of the sound one hears, and its rate in bits per second. */
  sound?: { codec: string; rate: number };
  /** The codec of the picture one sees. */
  picture?: string;
  /** Loudness of what is heard and of what is sent, 0 to 1. */
  heard: number;
  spoken: number;
}

interface Stat {
  id: string;
  type: string;
  timestamp: number;
  kind?: string;
  mid?: string;
  [name: string]: unknown;
}

const number = (v: unknown): number => (typeof v === 'number' && Number.isFinite(v) ? v : 0);
const nothing: Seen = { width: 0, height: 0, rate: 0 };

/** Looker looks at one connection again and again: rates are differences between two looks. */
export class Looker {
  #received = 0;
  #lost = 0;
  #bytes = 0;
  #at = 0;

  look(report: Iterable<unknown>): Quality {
    const stats = new Map<string, Stat>();
    for (const s of report as Iterable<Stat>) stats.set(s.id, s);
    const all = [...stats.values()];
    const of = (type: string, kind?: string): Stat[] => all.filter((s) => s.type === type && (!kind || s.kind === kind));
    const q: Quality = { path: 'unknown', sees: nothing, shows: nothing, heard: 0, spoken: 0 };
    this.#path(q, all, stats);
    this.#losses(q, of('inbound-rtp'));
    q.sees = largest(of('inbound-rtp', 'video'));
    q.shows = largest(of('outbound-rtp', 'video').filter((s) => s.active !== false));
    this.#sound(q, of('inbound-rtp', 'audio'), stats);
    const picture = of('inbound-rtp', 'video').find((s) => number(s.framesDecoded) > 0);
    q.picture = codec(picture, stats);
    q.heard = Math.max(0, ...of('inbound-rtp', 'audio').map((s) => number(s.audioLevel)));
    q.spoken = Math.max(0, ...of('media-source', 'audio').map((s) => number(s.audioLevel)));
    return q;
  }

  #path(q: Quality, all: Stat[], stats: Map<string, Stat>): void {
    const chosen = stats.get(String(all.find((s) => s.type === 'transport' && s.selectedCandidatePairId)?.selectedCandidatePairId));
    // Firefox knows no transport there, and marks the pair instead.
    const pair = chosen ?? all.find((s) => s.type === 'candidate-pair' && (s.selected === true || (s.nominated === true && s.state === 'succeeded')));
    if (!pair) return;
    const ends = [stats.get(String(pair.localCandidateId)), stats.get(String(pair.remoteCandidateId))];
    if (ends[0]) q.path = ends.some((e) => e?.candidateType === 'relay') ? 'relayed' : 'direct';
    const trip = number(pair.currentRoundTripTime) || Math.max(0, ...all.filter((s) => s.type === 'remote-inbound-rtp').map((s) => number(s.roundTripTime)));
    if (trip > 0) q.delay = trip * 1000;
  }

  #losses(q: Quality, inbound: Stat[]): void {
    const received = inbound.reduce((n, s) => n + number(s.packetsReceived), 0);
    const lost = inbound.reduce((n, s) => n + Math.max(0, number(s.packetsLost)), 0);
    const [r, l] = [received - this.#received, lost - this.#lost];
    if (r > 0 && l >= 0) q.lost = l / (r + l);
    this.#received = received;
    this.#lost = lost;
  }

  #sound(q: Quality, inbound: Stat[], stats: Map<string, Stat>): void {
    const bytes = inbound.reduce((n, s) => n + number(s.bytesReceived), 0);
    const at = Math.max(0, ...inbound.map((s) => s.timestamp));
    const first = inbound.find((s) => number(s.bytesReceived) > 0);
    const name = codec(first, stats);
    if (name && this.#at && at > this.#at) q.sound = { codec: name, rate: ((bytes - this.#bytes) * 8000) / (at - this.#at) };
    this.#bytes = bytes;
    this.#at = at;
  }
}

/** The largest of several pictures: a screen, else the camera. One that stands still is none. */
function largest(stats: Stat[]): Seen {
  let out = nothing;
  for (const s of stats) {
    const seen = { width: number(s.frameWidth), height: number(s.frameHeight), rate: Math.round(number(s.framesPerSecond)) };
    if (seen.rate > 0 && seen.width * seen.height > out.width * out.height) out = seen;
  }
  return out;
}

function codec(of: Stat | undefined, stats: Map<string, Stat>): string | undefined {
  const type = stats.get(String(of?.codecId))?.mimeType;
  if (typeof type !== 'string') return undefined;
  const name = type.split('/')[1] ?? type;
  return name.toLowerCase() === 'opus' ? 'Opus' : name.toUpperCase();
}
