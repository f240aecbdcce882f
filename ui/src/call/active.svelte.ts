// The call that this window holds: its peer, the devices of this computer that it uses, and
// what the stage shows of it.

import { callMatched } from '../api/calls';
import { Refused } from '../api/request';
import type { Call, CallEnd, CallMedia } from '../api/types';
import { calls } from '../lib/calls.svelte';
import { app } from './app';
import { camera, microphone, screen, screenSound } from './layout';
import { Peer, type Link } from './peer';
import { Looker, type Quality } from './quality';
import type { Sends } from './said';
import { cameraTrack, choose, microphoneTrack, screenTracks, type Kind } from './sources';

/** What of this computer could not be used, and why. */
export type Fault = 'microphone.denied' | 'microphone.none' | 'camera.denied' | 'camera.none' | 'screen';

/** So many delays are kept for the line that is drawn of them: one each second. */
const drawn = 32;

export class Active {
  call = $state.raw<Call>() as Call | undefined;
  /** Of whom it is called or answered, before the call is there. */
  readonly name: string;
  readonly tint: number;
  readonly room: string;
  readonly outgoing: boolean;
  link = $state<Link>('new');
  mine = $state.raw<Sends>({ mic: false, camera: false, screen: false, hold: false });
  theirs = $state.raw<Sends>();
  incoming = $state.raw<MediaStream[]>([]);
  /** What one sends to be seen, for the self view. */
  own = $state.raw<MediaStream>();
  quality = $state.raw<Quality>();
  delays = $state.raw<number[]>([]);
  fault = $state<Fault>();
  /** Why there is no call any more. */
  ended = $state<CallEnd>();
  /** The refusal of the app, when it did not come about. */
  refused = $state.raw<Refused>();
  /** Counts up when a speaker was chosen. */
  speaker = $state(0);
  /** Both pressed, or the words were closed. */
  wordsClosed = $state(false);

  #peer: Peer;
  #tracks = new Map<'mic' | 'camera' | 'screen' | 'sound', MediaStreamTrack>();
  #looking: ReturnType<typeof setInterval> | undefined;
  #looker = new Looker();

  constructor(of: { name: string; tint: number; room: string; call?: Call }) {
    this.name = of.name;
    this.tint = of.tint;
    this.room = of.room;
    this.call = of.call;
    this.outgoing = !of.call;
    this.#peer = new Peer({
      signalling: app,
      window: calls.window,
      changed: () => this.#show(),
      over: (end) => this.over(end),
    });
  }

  /** begins calls, or answers: with or without the camera. */
  async begins(video: boolean): Promise<void> {
    void this.microphone(true);
    if (video) void this.camera(true);
    try {
      this.changed(calls.newest(this.call ? await this.#peer.answer(this.call) : await this.#peer.start(this.room, video)));
    } catch (err) {
      this.#release();
      this.#peer.close();
      if (!(err instanceof Refused)) {
        console.warn(err);
        this.ended ??= 'failed';
        if (this.call) await app.end(this.call.id, { end: 'failed' }).catch(() => undefined);
        return;
      }
      // Another window or device was quicker: that one has it.
      if (err.code === 'call over' && !this.outgoing) this.over('elsewhere');
      else {
        this.refused = err;
        this.ended = 'failed';
      }
      return;
    }
    if (!this.ended) this.#looking = setInterval(() => void this.#look(), 1_000);
  }

  /** changed: the app says how the call is. */
  changed(call: Call): void {
    if (this.ended) return;
    this.call = call;
    if (call.stage === 'over') {
      this.#peer.close();
      this.over(call.end ?? 'hung_up');
    }
  }

  take(m: CallMedia): void {
    this.#peer.take(m);
  }

  /** resume: the stream of events was away. */
  resume(): void {
    this.#peer.resume();
  }

  get statistics(): RTCPeerConnection | undefined {
    return this.#peer.connection;
  }

  async microphone(on: boolean): Promise<void> {
    if (on && !(await this.#use('mic', microphoneTrack))) return;
    await this.#peer.give(microphone, on ? (this.#tracks.get('mic') ?? null) : null);
    this.#peer.say({ mic: on });
  }

  async camera(on: boolean): Promise<void> {
    if (on && !(await this.#use('camera', cameraTrack))) return;
    await this.#peer.give(camera, on ? (this.#tracks.get('camera') ?? null) : null);
    if (!on) this.#stop('camera');
    this.#peer.say({ camera: on });
    this.#own();
  }

  async screen(on: boolean): Promise<void> {
    if (on) {
      try {
        const { picture, sound } = await screenTracks();
        if (this.ended) return [picture, sound].forEach((t) => t?.stop());
        this.#keep('screen', picture, () => void this.screen(false));
        if (sound) this.#keep('sound', sound);
      } catch (err) {
        // Who closes the question shows nothing.
        if (!(err instanceof DOMException && err.name === 'NotAllowedError')) this.fault = 'screen';
        return;
      }
    }
    await this.#peer.give(screen, on ? (this.#tracks.get('screen') ?? null) : null);
    await this.#peer.give(screenSound, on ? (this.#tracks.get('sound') ?? null) : null);
    if (!on) this.#stop('screen', 'sound');
    this.#peer.say({ screen: on });
    this.#own();
  }

  async hold(on: boolean): Promise<void> {
    await this.#peer.hold(on);
  }

  /** changeDevice goes over to another device at once, where it is in use. */
  async changeDevice(kind: Kind, name: string): Promise<void> {
    choose(kind, name);
    if (kind === 'speaker') this.speaker++;
    else if (kind === 'camera' && this.mine.camera) {
      this.#stop('camera');
      await this.camera(true);
    } else if (kind === 'microphone' && this.#tracks.has('mic')) {
      this.#stop('mic');
      if (this.mine.mic) await this.microphone(true);
    }
  }

  networkChanged(): void {
    this.#peer.networkChanged();
  }

  async matched(on: boolean): Promise<void> {
    if (this.call) await callMatched(this.call.id, { on });
  }

  async hangUp(): Promise<void> {
    const done = this.#peer.hangUp({ end: 'hung_up' });
    this.over('hung_up');
    await done;
  }

  /** The track of the microphone, for a meter. */
  get voice(): MediaStreamTrack | undefined {
    return this.#tracks.get('mic');
  }

  /** over: there is nothing more to hear or to see. */
  over(end: CallEnd): void {
    if (this.ended) return;
    this.ended = end;
    this.#release();
    calls.isOver(this);
  }

  /** gone: the app knows of no such call any more, or is closed. */
  gone(end: CallEnd): void {
    this.#peer.close();
    this.over(end);
  }

  #release(): void {
    clearInterval(this.#looking);
    this.#stop('mic', 'camera', 'screen', 'sound');
    this.own = undefined;
  }

  async #use(what: 'mic' | 'camera', get: () => Promise<MediaStreamTrack>): Promise<boolean> {
    const kind = what === 'mic' ? 'microphone' : 'camera';
    if (this.fault?.startsWith(kind)) this.fault = undefined;
    if (this.#tracks.has(what)) return true;
    try {
      const track = await get();
      if (this.ended) {
        track.stop();
        return false;
      }
      this.#keep(what, track, () => void (what === 'mic' ? this.microphone(false) : this.camera(false)));
      return true;
    } catch (err) {
      const denied = err instanceof DOMException && (err.name === 'NotAllowedError' || err.name === 'SecurityError');
      this.fault = `${kind}.${denied ? 'denied' : 'none'}`;
      return false;
    }
  }

  #keep(what: 'mic' | 'camera' | 'screen' | 'sound', track: MediaStreamTrack, gone?: () => void): void {
    this.#tracks.get(what)?.stop();
    this.#tracks.set(what, track);
    track.onended = () => {
      this.#tracks.delete(what);
      gone?.();
    };
  }

  #stop(...which: ('mic' | 'camera' | 'screen' | 'sound')[]): void {
    for (const w of which) {
      this.#tracks.get(w)?.stop();
      this.#tracks.delete(w);
    }
  }

  #own(): void {
    const track = this.#tracks.get('camera') ?? this.#tracks.get('screen');
    this.own = track && !this.ended ? new MediaStream([track]) : undefined;
  }

  #show(): void {
    this.link = this.#peer.link;
    this.mine = this.#peer.mine;
    this.theirs = this.#peer.theirs;
    if (this.incoming.length !== this.#peer.incoming.length) this.incoming = this.#peer.incoming;
  }

  async #look(): Promise<void> {
    const report = await this.#peer.connection?.getStats().catch(() => undefined);
    if (!report || this.ended) return;
    this.quality = this.#looker.look(report.values());
    if (this.quality.delay !== undefined) this.delays = [...this.delays, this.quality.delay].slice(-drawn);
  }
}
