// How backups stand on this device, as the app said last.

import { backups as ask } from '../api/calls';
import type { Backups } from '../api/types';
import { live } from './live.svelte';

class BackupsStore {
  now = $state.raw<Backups>();
  #asking = false;
  #again = false;

  /** load asks the app, one time after the other; what was there stays when it does not answer. */
  async load(): Promise<void> {
    this.#again = true;
    if (this.#asking) return;
    this.#asking = true;
    while (this.#again) {
      this.#again = false;
      const now = await ask().catch(() => undefined);
      if (now) this.now = now;
    }
    this.#asking = false;
  }

  /** watch loads it, and again whenever it changes. Answers what ends that. */
  watch(): () => void {
    void this.load();
    return live.on('backups', () => void this.load());
  }
}

export const backups = new BackupsStore();
