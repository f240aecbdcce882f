// A window as far as calls need one, in Chromium or in Firefox: what one presses, by what
// the interface calls it, and what the browser says of the connection behind it.

import type { Key } from '../src/i18n/en';

/** What a browser says of the connection of the call, by its own statistics. */
export interface Media {
  state: string;
  path: 'direct' | 'relayed' | 'unknown';
  /** Pictures that were decoded since the beginning, by the part of the layout: camera, screen. */
  frames: [number, number];
  /** Width of what is decoded. */
  widths: [number, number];
  /** The energy of the sound that was heard since the beginning, and the codec of what comes. */
  energy: number;
  sound: string;
  picture: string;
}

export interface Seat {
  readonly browser: 'chromium' | 'firefox';
  /** press clicks a button that is called so, as a hand does. */
  press(key: Key, values?: Record<string, string | number>): Promise<void>;
  key(name: string): Promise<void>;
  /** run runs a function in the page. */
  run<T, A = undefined>(f: (a: A) => T | Promise<T>, a?: A): Promise<T>;
}

/** hook runs before the page's own scripts: it keeps the connections that are made. */
export function hook(): void {
  const Real = globalThis.RTCPeerConnection;
  const made: RTCPeerConnection[] = [];
  Object.assign(globalThis, {
    connections: made,
    RTCPeerConnection: class extends Real {
      constructor(c?: RTCConfiguration) {
        super(c);
        made.push(this);
      }
    },
  });
}

/** media reads the statistics of the newest connection in a page. */
export async function media(seat: Seat): Promise<Media> {
  return seat.run(async () => {
    const pc = (globalThis as unknown as { connections: RTCPeerConnection[] }).connections.at(-1);
    const out: Media = { state: pc?.connectionState ?? 'none', path: 'unknown', frames: [0, 0], widths: [0, 0], energy: 0, sound: '', picture: '' };
    if (!pc || pc.connectionState === 'closed') return out;
    type Stat = Record<string, unknown> & { id: string; type: string };
    const all = [...(await pc.getStats()).values()] as Stat[];
    const by = (id: unknown) => all.find((s) => s.id === id);
    const transport = all.find((s) => s.type === 'transport' && s.selectedCandidatePairId);
    const pair = transport ? by(transport.selectedCandidatePairId) : all.find((s) => s.type === 'candidate-pair' && s.state === 'succeeded' && (s.selected || s.nominated));
    const ends = [by(pair?.localCandidateId), by(pair?.remoteCandidateId)];
    if (ends[0]) out.path = ends.some((e) => e?.candidateType === 'relay') ? 'relayed' : 'direct';
    const mids = pc.getTransceivers().map((t) => t.mid);
    for (const s of all) {
      if (s.type !== 'inbound-rtp') continue;
      const codec = String(by(s.codecId)?.mimeType ?? '');
      if (s.kind === 'audio') {
        out.energy += Number(s.totalAudioEnergy ?? 0);
        if (Number(s.packetsReceived) > 0) out.sound = codec;
      } else {
        const part = mids.indexOf(String(s.mid)) - 1;
        if (part !== 0 && part !== 1) continue;
        out.frames[part] = Number(s.framesDecoded ?? 0);
        out.widths[part] = Number(s.frameWidth ?? 0);
        if (Number(s.framesDecoded) > 0) out.picture = codec;
      }
    }
    return out;
  });
}

/** words are the two words that a window shows. */
export function words(seat: Seat): Promise<string[]> {
  return seat.run(() => [...document.querySelectorAll('[data-words] b')].map((b) => b.textContent ?? ''));
}

/** stands says whether an element is in the page. */
export function stands(seat: Seat, selector: string): Promise<boolean> {
  return seat.run((s) => document.querySelector(s) !== null, selector);
}

/** shows says whether a text stands anywhere in the page. */
export function shows(seat: Seat, text: RegExp): Promise<boolean> {
  return seat.run((source) => new RegExp(source).test(document.body.innerText), text.source);
}
