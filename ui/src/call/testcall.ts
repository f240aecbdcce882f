// A test call: one's own voice goes to a second connection of this window and comes back a
// second later. Where the home server has a relay it goes through that one, as a call would
// have to from behind a wall.

import type { Relays } from '../api/types';
import { described } from './layout';
import { Looker } from './quality';
import { microphoneTrack, speak } from './sources';

/** What a test call found. */
export interface Found {
  way: 'relayed' | 'direct';
  /** There and back, in milliseconds. */
  delay: number;
  /** The relay that carried it. */
  host: string;
}

/** The voice comes back after so many seconds. */
const after = 1;
/** A way is looked for so long, in milliseconds. */
const patience = 10_000;

export class TestCall {
  voice: MediaStreamTrack | undefined;
  #ends: RTCPeerConnection[] = [];
  #context: AudioContext | undefined;
  #out: HTMLAudioElement | undefined;
  #stopped = false;

  /** begin asks for the microphone, and answers once the voice comes back. Nothing: the relay cannot be reached. */
  async begin(relays: Relays): Promise<Found | undefined> {
    this.voice = await microphoneTrack();
    if (this.#stopped) return this.stop();
    const servers = relays.servers.map((s) => ({ urls: s.urls, username: s.username, credential: s.credential }));
    const relay = servers.some((s) => s.urls.some((u) => u.startsWith('turn')));
    const config: RTCConfiguration = { iceServers: servers, iceTransportPolicy: relay ? 'relay' : 'all' };
    const [near, far] = [new RTCPeerConnection(config), new RTCPeerConnection(config)];
    this.#ends = [near, far];
    near.onicecandidate = (e) => void far.addIceCandidate(e.candidate ?? undefined).catch(() => undefined);
    far.onicecandidate = (e) => void near.addIceCandidate(e.candidate ?? undefined).catch(() => undefined);
    far.ontrack = (e) => this.#back(e.track);
    near.addTransceiver(this.voice, { direction: 'sendonly' });
    const offer = await near.createOffer();
    await near.setLocalDescription(offer);
    await far.setRemoteDescription({ type: 'offer', sdp: described(offer.sdp ?? '') });
    const answer = await far.createAnswer();
    await far.setLocalDescription(answer);
    await near.setRemoteDescription({ type: 'answer', sdp: described(answer.sdp ?? '') });
    if (!(await this.#connected(near))) return this.stop();
    return this.#found(near, servers.flatMap((s) => s.urls));
  }

  /** stop lets go of everything. */
  stop(): undefined {
    this.#stopped = true;
    this.voice?.stop();
    for (const pc of this.#ends) pc.close();
    if (this.#out) this.#out.srcObject = null;
    void this.#context?.close();
    this.#context = undefined;
  }

  #back(track: MediaStreamTrack): void {
    if (this.#stopped) return;
    const stream = new MediaStream([track]);
    // Chromium feeds Web Audio from a connection only while an element plays it, too.
    const pump = new Audio();
    pump.muted = true;
    pump.srcObject = stream;
    void pump.play().catch(() => undefined);
    this.#context = new AudioContext();
    const delay = this.#context.createDelay(after);
    delay.delayTime.value = after;
    const out = this.#context.createMediaStreamDestination();
    this.#context.createMediaStreamSource(stream).connect(delay).connect(out);
    this.#out = new Audio();
    this.#out.srcObject = out.stream;
    void speak(this.#out);
    void this.#out.play().catch(() => undefined);
  }

  #connected(pc: RTCPeerConnection): Promise<boolean> {
    return new Promise((done) => {
      const look = (): void => {
        if (pc.connectionState === 'connected') done(true);
        else if (pc.connectionState === 'failed' || pc.connectionState === 'closed') done(false);
      };
      pc.onconnectionstatechange = look;
      setTimeout(() => done(pc.connectionState === 'connected'), patience);
      look();
    });
  }

  /** The figures come a moment after the connection. */
  async #found(pc: RTCPeerConnection, urls: string[]): Promise<Found> {
    const looker = new Looker();
    const host = /^turns?:(\[[^\]]+\]|[^:?]+)/.exec(urls.find((u) => u.startsWith('turn')) ?? '')?.[1] ?? '';
    for (let i = 0; ; i++) {
      const q = looker.look((await pc.getStats()).values());
      if ((q.path !== 'unknown' && q.delay !== undefined) || i === 20 || this.#stopped) {
        return { way: q.path === 'relayed' ? 'relayed' : 'direct', delay: Math.round(q.delay ?? 0), host };
      }
      await new Promise((done) => setTimeout(done, 250));
    }
  }
}
