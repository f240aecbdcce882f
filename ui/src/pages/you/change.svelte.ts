import type { SettingsChange } from '../../api/types';
import { settings } from '../../lib/settings.svelte';
import { Deed } from '../lib/deed.svelte';

/** Changes of settings from one section: each shows at once, and is taken back if it is refused. */
export class Changing extends Deed {
  async set(change: SettingsChange): Promise<boolean> {
    return this.run(() => settings.change(change));
  }
}
