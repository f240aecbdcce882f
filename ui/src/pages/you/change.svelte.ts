import type { SettingsChange } from '../../api/types';
import { settings } from '../../lib/settings.svelte';
import { Deed } from '../lib/deed.svelte';

/**
 * Changes of settings from one section: each shows at once, and is taken back if it is
 * refused. One that is made while another is under way comes after it.
 */
export class Changing extends Deed {
  #last: Promise<unknown> = Promise.resolve();

  set(change: SettingsChange): Promise<boolean> {
    const next = this.#last.then(() => this.run(() => settings.change(change)));
    this.#last = next.catch(() => undefined);
    return next;
  }
}
