// Candidates on their way out: in small bundles, and none before it is known which call and
// which round they belong to.

import type { Candidate, NewCandidates } from '../api/types';

/** No more are sent of a side in a round: what is beyond would be dropped by the others. */
const most = 64;
/** Those that come within so many milliseconds go together. */
const gather = 20;

export class Outgoing {
  #waiting: Candidate[] = [];
  #sent = 0;
  #round: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly send: (c: NewCandidates) => Promise<void>) {}

  /** next begins another round, whose number comes later. */
  next(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting = [];
    this.#sent = 0;
    this.#round = undefined;
  }

  /** knows: this is the round that they are of. */
  knows(round: number): void {
    this.#round = round;
    this.#flush();
  }

  add(c: RTCIceCandidate | null): void {
    // One place is kept for the last word, which is empty.
    if (c?.candidate && this.#sent + this.#waiting.length >= most - 1) return;
    this.#waiting.push({ mid: c?.sdpMid ?? '', line: c?.sdpMLineIndex ?? 0, candidate: c?.candidate ?? '' });
    this.#timer ??= setTimeout(() => this.#flush(), gather);
  }

  stop(): void {
    this.next();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#round === undefined || !this.#waiting.length) return;
    const candidates = this.#waiting.splice(0);
    this.#sent += candidates.length;
    void this.send({ round: this.#round, candidates });
  }
}

/** heard is a candidate of the other side as the browser takes it; the last word is none. */
export function heard(c: Candidate): RTCIceCandidateInit | undefined {
  return c.candidate ? { candidate: c.candidate, sdpMid: c.mid || null, sdpMLineIndex: c.line } : undefined;
}
