// This window's side of a call: one connection with the five parts, in both roles, its
// candidates, its renewals and what the two sides tell each other. It asks the machine for
// nothing: tracks are given to it. It knows no Svelte and no HTTP.

import type { Call, CallMedia, Candidate, CallDescription, EndCall, NewCall, NewCandidates, Relays } from '../api/types';
import { heard, Outgoing } from './candidates';
import { described, keeps, parts, prefer } from './layout';
import { bye, hear, tell, type Sends } from './said';

/** What a peer needs of the app. */
export interface Signalling {
  relays(room: string): Promise<Relays>;
  call(n: NewCall): Promise<Call>;
  media(call: string): Promise<CallMedia>;
  answer(call: string, d: CallDescription): Promise<Call>;
  candidates(call: string, c: NewCandidates): Promise<void>;
  renew(call: string, d: CallDescription): Promise<CallMedia>;
  renewed(call: string, round: number, d: CallDescription): Promise<void>;
  end(call: string, e: EndCall): Promise<void>;
}

/** How far the connection is: not begun, on its way, there, lost for the moment, over. */
export type Link = 'new' | 'joining' | 'open' | 'lost' | 'closed';

export interface PeerOptions {
  signalling: Signalling;
  /** The window that holds the call. */
  window: string;
  /** Something that is shown changed. */
  changed: () => void;
  /** The other side hung up, or no connection came about. */
  over: (end: 'hung_up' | 'failed') => void;
  connect?: (c: RTCConfiguration) => RTCPeerConnection;
}

/** The other side is waited for so long, in milliseconds, before a call without a connection ends. */
export const patience = 45_000;
/** A connection that is disconnected may come back by itself for so long. */
const hope = 3_000;
/** The callee's side leaves the caller's so much time to renew first. */
const courtesy = 2_000;
/** A renewal that does not help is followed by another after so long. */
const again = 8_000;

export class Peer {
  link: Link = 'new';
  call: Call | undefined;
  mine: Sends = { mic: false, camera: false, screen: false, hold: false };
  /** What the other side said that it sends; undefined until it said so. */
  theirs: Sends | undefined;
  /** What comes from the other side, by the parts of the layout. */
  incoming: MediaStream[] = [];

  #o: PeerOptions;
  #pc: RTCPeerConnection | undefined;
  #channel: RTCDataChannel | undefined;
  #out: Outgoing;
  #caller = false;
  /** The round of the descriptions that hold, and of the newest of the other side's that is set. */
  #round = 0;
  #set = -1;
  #early: { round: number; candidate: Candidate }[] = [];
  #known = new Set<string>();
  #last: Promise<void> = Promise.resolve();
  #giveUp: ReturnType<typeof setTimeout> | undefined;
  #renewal: ReturnType<typeof setTimeout> | undefined;
  #tracks: (MediaStreamTrack | null)[] = parts.map(() => null);

  constructor(o: PeerOptions) {
    this.#o = o;
    this.#out = new Outgoing((c) => this.#send(c));
  }

  get connection(): RTCPeerConnection | undefined {
    return this.#pc;
  }

  /** start calls somebody: the description is on its way when this returns. */
  start(room: string, video: boolean): Promise<Call> {
    return this.#first(() => this.#start(room, video));
  }

  /** answer takes a call that rings. */
  answer(call: Call): Promise<Call> {
    return this.#first(() => this.#answer(call));
  }

  async #start(room: string, video: boolean): Promise<Call> {
    this.#caller = true;
    const pc = this.#open(await this.#o.signalling.relays(room));
    for (const kind of parts) pc.addTransceiver(kind, { direction: 'sendrecv' });
    prefer(pc);
    this.#attach();
    await pc.setLocalDescription();
    this.call = await this.#o.signalling.call({ room, video, sdp: this.#described(), window: this.#o.window });
    if (this.link === 'closed') {
      await this.#o.signalling.end(this.call.id, { end: 'hung_up' });
      return this.call;
    }
    this.#out.knows(0);
    return this.call;
  }

  async #answer(call: Call): Promise<Call> {
    this.call = call;
    const [media, relays] = await Promise.all([this.#o.signalling.media(call.id), this.#o.signalling.relays(call.room)]);
    if (!media.offer || !keeps(media.offer)) throw new Error('the offer has other parts than a call of sotto');
    const pc = this.#open(relays);
    await pc.setRemoteDescription({ type: 'offer', sdp: media.offer });
    this.#set = 0;
    for (const t of pc.getTransceivers()) t.direction = 'sendrecv';
    prefer(pc);
    this.#attach();
    await pc.setLocalDescription();
    await this.#take(media);
    this.call = await this.#o.signalling.answer(call.id, { sdp: this.#described(), window: this.#o.window });
    this.#join();
    this.#out.knows(0);
    return this.call;
  }

  /** take is what the app says of the other side's descriptions and candidates, in order. */
  take(m: CallMedia): void {
    this.#then(() => this.#take(m));
  }

  /** resume asks for everything: the stream of events was away. */
  resume(): void {
    this.#then(async () => {
      if (this.call) await this.#take(await this.#o.signalling.media(this.call.id));
    });
  }

  /** give puts a track in a part of the layout, or takes it away. */
  async give(part: number, track: MediaStreamTrack | null): Promise<void> {
    this.#tracks[part] = track;
    await this.#pc?.getTransceivers()[part]?.sender.replaceTrack(this.mine.hold ? null : track);
  }

  /** hold sends nothing until it is lifted. */
  async hold(on: boolean): Promise<void> {
    this.mine = { ...this.mine, hold: on };
    await Promise.all(this.#tracks.map((t, i) => this.give(i, t)));
    this.say({});
  }

  /** say tells the other side what is on. */
  say(now: Partial<Sends>): void {
    this.mine = { ...this.mine, ...now };
    if (this.#channel?.readyState === 'open') this.#channel.send(tell(this.mine));
    this.#o.changed();
  }

  /** networkChanged: the paths of before may be gone. */
  networkChanged(): void {
    if (this.link === 'open' || this.link === 'lost') this.#renewAfter(0);
  }

  /** hangUp ends the call on this side and says so. */
  async hangUp(end: EndCall): Promise<void> {
    const { call } = this;
    if (this.link === 'closed') return;
    if (this.#channel?.readyState === 'open') this.#channel.send(bye);
    this.#out.stop();
    this.link = 'closed';
    try {
      if (call) await this.#o.signalling.end(call.id, end);
    } finally {
      this.close();
    }
  }

  /** close lets go of everything. */
  close(): void {
    this.link = 'closed';
    clearTimeout(this.#giveUp);
    clearTimeout(this.#renewal);
    this.#out.stop();
    this.#pc?.close();
    this.incoming = [];
    this.#o.changed();
  }

  /** What the other side says meanwhile is taken afterwards. */
  #first<T>(f: () => Promise<T>): Promise<T> {
    const begun = f();
    this.#last = begun.then(() => undefined, () => undefined);
    return begun;
  }

  #then(f: () => Promise<void>): void {
    this.#last = this.#last.then(async () => {
      if (this.link === 'closed') return;
      try {
        await f();
      } catch (err) {
        // Whatever did not fit into the connection leaves it as it is: a renewal is tried anew,
        // and a call without a connection ends by itself.
        console.warn(err);
      }
    });
  }

  #open(relays: Relays): RTCPeerConnection {
    const connect = this.#o.connect ?? ((c) => new RTCPeerConnection(c));
    const pc = connect(configuration(relays));
    this.#pc = pc;
    const channel = (this.#channel = pc.createDataChannel('sotto', { negotiated: true, id: 0, ordered: true }));
    channel.onopen = () => this.say({});
    channel.onmessage = (e: MessageEvent<unknown>) => this.#hear(e.data);
    pc.onicecandidate = (e) => this.#out.add(e.candidate);
    pc.onconnectionstatechange = () => this.#state(pc.connectionState);
    pc.oniceconnectionstatechange = () => {
      if (pc.iceConnectionState === 'failed') this.#state('failed');
    };
    return pc;
  }

  #described(): string {
    return described(this.#pc?.localDescription?.sdp ?? '').replace(/^a=(candidate:.*|end-of-candidates)\r\n/gm, '');
  }

  #attach(): void {
    const all = this.#pc?.getTransceivers() ?? [];
    this.incoming = parts.map((_, i) => new MediaStream(all[i] ? [all[i].receiver.track] : []));
    this.#tracks.forEach((t, i) => t && void all[i]?.sender.replaceTrack(t));
    this.#o.changed();
  }

  async #take(m: CallMedia): Promise<void> {
    const pc = this.#pc;
    if (!pc) return;
    for (const candidate of m.candidates) {
      const name = `${m.round} ${candidate.mid} ${candidate.line} ${candidate.candidate}`;
      if (this.#known.has(name) || this.#early.length > 256) continue;
      this.#known.add(name);
      this.#early.push({ round: m.round, candidate });
    }
    if (m.answer && m.round === this.#round && this.#set < m.round && pc.signalingState === 'have-local-offer') {
      if (!keeps(m.answer)) throw new Error('the answer has other parts than the offer');
      await pc.setRemoteDescription({ type: 'answer', sdp: m.answer });
      this.#set = m.round;
      if (m.round === 0) this.#join();
    } else if (m.offer && m.round > Math.max(0, this.#set)) {
      await this.#renewed(pc, m.round, m.offer);
    }
    const ready = this.#early.filter((e) => e.round === this.#set);
    this.#early = this.#early.filter((e) => e.round > this.#set);
    for (const { candidate } of ready) {
      const c = heard(candidate);
      if (c) await pc.addIceCandidate(c).catch(() => undefined); // one path less
    }
  }

  /** The other side renewed, or did so before this one: an own renewal under way is dropped. */
  async #renewed(pc: RTCPeerConnection, round: number, sdp: string): Promise<void> {
    if (!this.call || !keeps(sdp)) throw new Error('the renewal has other parts than the call');
    clearTimeout(this.#renewal);
    this.#out.next();
    if (pc.signalingState === 'have-local-offer') await pc.setLocalDescription({ type: 'rollback' });
    await this.#refresh(pc);
    await pc.setRemoteDescription({ type: 'offer', sdp });
    this.#set = this.#round = round;
    await pc.setLocalDescription();
    await this.#o.signalling.renewed(this.call.id, round, { sdp: this.#described(), window: this.#o.window });
    this.#out.knows(round);
    if (this.link !== 'open') this.#renewAfter(again);
  }

  /** What opens a relay lasts an hour; a call may last longer. */
  async #refresh(pc: RTCPeerConnection): Promise<void> {
    const relays = this.call && (await this.#o.signalling.relays(this.call.room).catch(() => undefined));
    if (relays) pc.setConfiguration(configuration(relays));
  }

  async #renew(): Promise<void> {
    const pc = this.#pc;
    if (!pc || !this.call || this.link === 'closed') return;
    this.#renewAfter(again);
    if (pc.signalingState === 'have-local-offer') await pc.setLocalDescription({ type: 'rollback' });
    await this.#refresh(pc);
    this.#out.next();
    await pc.setLocalDescription(await pc.createOffer({ iceRestart: true }));
    let m: CallMedia;
    try {
      m = await this.#o.signalling.renew(this.call.id, { sdp: this.#described(), window: this.#o.window });
    } catch (err) {
      await pc.setLocalDescription({ type: 'rollback' });
      throw err;
    }
    if (!m.offer) {
      this.#round = m.round;
      this.#out.knows(m.round);
    }
    await this.#take(m);
  }

  #renewAfter(wait: number): void {
    clearTimeout(this.#renewal);
    const first = wait + (this.#caller ? 0 : courtesy);
    this.#renewal = setTimeout(() => this.#then(() => this.#renew()), first);
  }

  #state(state: RTCPeerConnectionState): void {
    if (this.link === 'closed' || this.#set < 0) return;
    if (state === 'connected') {
      clearTimeout(this.#giveUp);
      clearTimeout(this.#renewal);
      this.#giveUp = undefined;
      this.link = 'open';
    } else if (state === 'disconnected' || state === 'failed') {
      if (this.link === 'open') this.link = 'lost';
      this.#wait();
      this.#renewAfter(state === 'failed' ? 0 : hope);
    } else return;
    this.#o.changed();
  }

  #join(): void {
    if (this.link !== 'new') return; // connected before the app has answered
    this.link = 'joining';
    this.#wait();
    this.#o.changed();
  }

  /** From now on the call has so long to come about, or back. */
  #wait(): void {
    this.#giveUp ??= setTimeout(() => this.#end('failed'), patience);
  }

  #hear(data: unknown): void {
    const told = hear(data);
    if (told?.kind === 'bye') return this.#end('hung_up');
    if (!told) return;
    this.theirs = told.sends;
    this.#o.changed();
  }

  #end(end: 'hung_up' | 'failed'): void {
    if (this.link === 'closed') return;
    if (end === 'failed') void this.hangUp({ end }).catch(() => undefined);
    else this.close();
    this.#o.over(end);
  }

  async #send(c: NewCandidates): Promise<void> {
    // A candidate that does not get through is one path less.
    if (this.call) await this.#o.signalling.candidates(this.call.id, c).catch(() => undefined);
  }
}

function configuration(relays: Relays): RTCConfiguration {
  return {
    iceServers: relays.servers.map((s) => ({ urls: s.urls, username: s.username, credential: s.credential })),
    iceTransportPolicy: relays.only ? 'relay' : 'all',
    bundlePolicy: 'max-bundle',
    rtcpMuxPolicy: 'require',
  };
}
