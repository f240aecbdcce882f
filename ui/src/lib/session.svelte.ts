// How the app is, and who this person is.

import { keyName, linkShown, openSession, state as loadState, unlock } from '../api/calls';
import { onRefused, Refused } from '../api/request';
import type { Host, Self, State } from '../api/types';
import { live } from './live.svelte';

/** What the window shows before it shows anything else. */
export type Stage =
  | 'starting'
  | 'closed' // no session: sotto has to open this window
  | 'away' // the app does not answer
  | 'new'
  | 'locked'
  | 'open';

class Session {
  state = $state.raw<State | undefined>();
  stage = $state<Stage>('starting');
  #loading: Promise<void> | undefined;
  #again: Promise<void> | undefined; // what follows it, for those who came meanwhile
  #hosts: Host[] | undefined; // told while an answer was under way, which may be older
  #shown: string | undefined; // an invitation that an answer under way may still hold
  #reloaded = new Set<() => void>();

  get self(): Self | undefined {
    return this.state?.self;
  }

  /** The servers that do not answer. */
  get down(): Host[] {
    return this.state?.hosts.filter((h) => !h.up) ?? [];
  }

  /** Called whenever what is shown has to be loaded again: at each hello after the first. */
  onReload(f: () => void): () => void {
    this.#reloaded.add(f);
    return () => this.#reloaded.delete(f);
  }

  /** begin opens the session, with the token of the opening address if there is one. */
  async begin(token: string | undefined): Promise<void> {
    onRefused((refused) => {
      if (refused.status === 401) this.#close();
      else if (refused.status === 423) void this.load();
    });
    live.on('hello', () => void this.load().then(() => this.#reloaded.forEach((f) => f())));
    live.on('phase', () => void this.load().then(() => this.#reloaded.forEach((f) => f())));
    live.on('hosts', (e) => {
      if (this.#loading) this.#hosts = e.hosts;
      if (this.state && e.hosts) this.state = { ...this.state, hosts: e.hosts };
    });
    live.on('requests', () => void this.load());
    live.on('open', (e) => {
      this.#shown = undefined;
      if (this.state) this.state = { ...this.state, invitation: e.text };
    });
    live.onRefused((status) => {
      if (status === 401 || status === 403) this.#close();
    });
    // sotto was opened again, in another window of this browser: this one may go on.
    addEventListener('storage', (e) => {
      if (e.key === keyName && this.stage === 'closed') void this.load().then(() => this.#begun());
    });
    if (token) {
      try {
        localStorage.setItem(keyName, (await openSession({ token })).key);
      } catch (err) {
        if (!(err instanceof Refused)) throw err;
        // Spent already, by a reload: the session may be there all the same.
      }
    }
    await this.load();
    this.#begun();
  }

  #begun(): void {
    if (this.stage !== 'closed') live.start();
  }

  /** The session is over: the app began anew, or another window ended it. */
  #close(): void {
    this.stage = 'closed';
    live.stop();
  }

  /** load asks how the app is. Who asks while an answer is under way, which may be older than what
   * they know of, gets the next one; all of them share that. */
  load(): Promise<void> {
    if (this.#loading) return (this.#again ??= this.#loading.then(() => this.#next()));
    return this.#next();
  }

  #next(): Promise<void> {
    this.#again = this.#hosts = undefined;
    return (this.#loading = this.#load().finally(() => (this.#loading = undefined)));
  }

  async #load(): Promise<void> {
    try {
      const state = await loadState();
      if (this.#hosts) state.hosts = this.#hosts;
      if (state.invitation === this.#shown) state.invitation = undefined;
      this.state = state;
      this.stage = state.phase;
    } catch (err) {
      if (!(err instanceof Refused)) throw err;
      if (err.status === 401 || err.status === 403) this.#close();
      else if (!this.state) this.stage = 'away';
    }
  }

  async unlock(passphrase: string): Promise<void> {
    await unlock({ passphrase });
    await this.load();
    for (const f of this.#reloaded) f();
  }

  /** The invitation that sotto was opened with has been shown, here and for good. */
  invitationShown(): void {
    const link = this.state?.invitation;
    if (!this.state || !link) return;
    this.#shown = link;
    this.state = { ...this.state, invitation: undefined };
    void linkShown().catch((err: unknown) => {
      if (!(err instanceof Refused)) throw err; // it will be shown once more
    });
  }
}

export const session = new Session();
