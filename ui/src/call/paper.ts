// A connection of paper, for tests: it goes through the states of a real one and keeps what
// was done with it. It connects nothing.

/** offerOf is a description with the parts of a call. */
export const offerOf = (id: number): string =>
  ['v=0', `o=- ${id} 2 IN IP4 127.0.0.1`, ...['audio', 'video', 'video', 'audio', 'application'].map((k) => `m=${k} 9 UDP/TLS/RTP/SAVPF 96`)].join('\r\n') + '\r\n';

interface Part {
  direction: string;
  receiver: { track: object };
  sender: { replaceTrack(t: MediaStreamTrack | null): Promise<void> };
}

export class FakeConnection {
  signalingState = 'stable';
  connectionState = 'new';
  iceConnectionState = 'new';
  localDescription: { type: string; sdp: string } | null = null;
  onicecandidate: ((e: { candidate: object | null }) => void) | null = null;
  onconnectionstatechange: (() => void) | null = null;
  oniceconnectionstatechange: (() => void) | null = null;

  readonly kinds: string[] = [];
  readonly added: string[] = [];
  readonly said: string[] = [];
  readonly sent: (MediaStreamTrack | null)[] = [null, null, null, null];
  channel: object | undefined;
  rolledBack = 0;
  closed = false;
  #parts: Part[] = [];
  #made = 0;
  #channel = { readyState: 'connecting', send: (x: string) => void this.said.push(x), onopen: null as (() => void) | null, onmessage: null as ((e: { data: unknown }) => void) | null };

  constructor(public config: RTCConfiguration) {}

  setConfiguration(c: RTCConfiguration): void {
    this.config = c;
  }

  get directions(): string[] {
    return this.#parts.map((p) => p.direction);
  }

  addTransceiver(kind: string, o: { direction: string }): void {
    this.kinds.push(kind);
    this.#add(o.direction);
  }

  #add(direction: string): void {
    const i = this.#parts.length;
    this.#parts.push({ direction, receiver: { track: {} }, sender: { replaceTrack: async (t) => void (this.sent[i] = t) } });
  }

  getTransceivers(): Part[] {
    return this.#parts;
  }

  createDataChannel(_: string, o: object): object {
    this.channel = o;
    return this.#channel;
  }

  async createOffer(): Promise<{ type: string; sdp: string }> {
    return { type: 'offer', sdp: offerOf(++this.#made) };
  }

  async setLocalDescription(d?: { type: string; sdp?: string }): Promise<void> {
    if (d?.type === 'rollback') {
      if (this.signalingState !== 'have-local-offer') throw new Error(`rollback in ${this.signalingState}`);
      this.rolledBack++;
      this.signalingState = 'stable';
      return;
    }
    const answers = this.signalingState === 'have-remote-offer';
    this.localDescription = { type: answers ? 'answer' : 'offer', sdp: d?.sdp ?? offerOf(++this.#made) };
    this.signalingState = answers ? 'stable' : 'have-local-offer';
  }

  async setRemoteDescription(d: { type: string; sdp: string }): Promise<void> {
    if (d.type === 'answer' && this.signalingState !== 'have-local-offer') throw new Error(`answer in ${this.signalingState}`);
    if (d.type === 'offer' && this.signalingState !== 'stable') throw new Error(`offer in ${this.signalingState}`);
    if (d.type === 'offer') while (this.#parts.length < 4) this.#add('recvonly');
    this.signalingState = d.type === 'offer' ? 'have-remote-offer' : 'stable';
  }

  async addIceCandidate(c: { candidate: string }): Promise<void> {
    this.added.push(c.candidate);
  }

  close(): void {
    this.closed = true;
  }

  // What happens to it.

  becomes(state: string): void {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }

  finds(candidate: string): void {
    this.onicecandidate?.({ candidate: { candidate, sdpMid: '0', sdpMLineIndex: 0 } });
  }

  opens(): void {
    this.#channel.readyState = 'open';
    this.#channel.onopen?.();
  }

  hears(data: unknown): void {
    this.#channel.onmessage?.({ data });
  }
}
