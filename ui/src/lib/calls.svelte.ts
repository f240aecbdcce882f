// The calls that ring or run, and the one that this window holds. What a call is made of is
// loaded when the first one comes.

import { SvelteSet } from 'svelte/reactivity';
import { calls as loadCalls, endCall } from '../api/calls';
import type { Call } from '../api/types';
import type { Active } from '../call/active.svelte';
import { live } from './live.svelte';
import { session } from './session.svelte';
import { ui } from './ui.svelte';

class Calls {
  list = $state.raw<Call[]>([]);
  /** The call of this window. */
  active = $state.raw<Active>();
  /** It fills the window; else it floats over what is shown. */
  full = $state(false);
  #silenced = new SvelteSet<string>();
  /** The last call that was over, and whether the other side spoke while a call had no name here yet: events may be faster than answers. */
  #last: Call | undefined;
  #early = false;

  /** A call that rings here and was not silenced. */
  readonly ringing: Call | undefined = $derived(this.active && !this.active.ended ? undefined : this.list.find((c) => c.stage === 'ringing' && !c.outgoing && !this.#silenced.has(c.id)));
  /** One that another window, or another program of this device, holds, or that was silenced here. */
  readonly elsewhere: Call | undefined = $derived(this.list.find((c) => c.id !== this.active?.call?.id && c.id !== this.ringing?.id && ((c.here && c.window !== ui.name) || (c.stage === 'ringing' && !c.outgoing))));

  constructor() {
    live.on('call', (e) => e.call && this.#changed(e.call));
    live.on('media', (e) => {
      if (!e.media || !this.active) return;
      if (!this.active.call) this.#early = true;
      else if (this.active.call.id === e.media.call.id) this.active.take(e.media);
    });
    session.onReload(() => {
      if (session.stage === 'open') void this.load();
    });
  }

  /** There is something to show. */
  get any(): boolean {
    return this.active !== undefined || this.list.length > 0;
  }

  get window(): string {
    return ui.name;
  }

  async load(): Promise<void> {
    const list = await loadCalls();
    const gone = this.active?.call && !list.some((c) => c.id === this.active?.call?.id);
    this.list = list;
    for (const c of list) if (c.id === this.active?.call?.id) this.active.changed(c);
    if (gone) this.active?.gone('hung_up');
    else this.active?.resume();
  }

  forget(): void {
    this.list = [];
    this.active?.gone('failed');
    this.close();
  }

  /** newest is a call as it is by now, when the app has answered with it. */
  newest(call: Call): Call {
    if (this.#early) queueMicrotask(() => this.active?.resume());
    this.#early = false;
    return this.list.find((c) => c.id === call.id) ?? (this.#last?.id === call.id ? this.#last : call);
  }

  /** place calls somebody. */
  async place(of: { room: string; name: string; tint: number }, video: boolean): Promise<void> {
    if (this.active && !this.active.ended) {
      this.full = true;
      return;
    }
    const { Active } = await import('../call/active.svelte');
    this.full = true;
    this.active = new Active(of);
    await this.active.begins(video);
  }

  async answer(call: Call, video: boolean): Promise<void> {
    const { Active } = await import('../call/active.svelte');
    this.full = true;
    this.active = new Active({ ...call, call });
    await this.active.begins(video);
  }

  async decline(call: Call, text?: string): Promise<void> {
    this.#silenced.add(call.id);
    await endCall(call.id, { end: 'declined', text });
  }

  /** silence stops the ring in this window; the call goes on ringing elsewhere. */
  silence(call: Call): void {
    this.#silenced.add(call.id);
  }

  /** unsilence shows the ring again. */
  unsilence(call: Call): void {
    this.#silenced.delete(call.id);
  }

  /** isOver: an end that says all by itself closes the stage; others stay until they are read. */
  isOver(a: Active): void {
    if (a !== this.active) return;
    if (a.ended === 'hung_up' || a.ended === 'elsewhere') this.close();
    else this.full = true;
  }

  /** close takes the stage away. */
  close(): void {
    this.active = undefined;
    this.full = false;
  }

  #changed(call: Call): void {
    const rest = this.list.filter((c) => c.id !== call.id);
    this.list = call.stage === 'over' ? rest : [...rest, call];
    if (call.stage === 'over') {
      this.#silenced.delete(call.id);
      this.#last = call;
    }
    const { active } = this;
    if (active?.call?.id === call.id) active.changed(call);
  }
}

export const calls = new Calls();
