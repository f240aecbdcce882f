// How this account's 24 words stand, as the app said last.

import { recovery as ask } from '../api/calls';
import type { Recovery } from '../api/types';
import { live } from './live.svelte';

class RecoveryStore {
  now = $state.raw<Recovery>();

  /** load asks the app; what was there stays when it does not answer. */
  async load(): Promise<void> {
    const now = await ask().catch(() => undefined);
    if (now) this.now = now;
  }

  /** watch loads it, and again whenever it changes. Answers what ends that. */
  watch(): () => void {
    void this.load();
    return live.on('recovery', () => void this.load());
  }
}

export const recovery = new RecoveryStore();
