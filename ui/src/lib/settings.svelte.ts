// The person's settings for this device, and what follows from them in this window.

import { changeSettings, settings as loadSettings } from '../api/calls';
import type { Settings, SettingsChange } from '../api/types';
import { i18n } from '../i18n/i18n.svelte';
import { live } from './live.svelte';

/** Until they are loaded, and where there is no account yet. */
const defaults: Settings = {
  theme: 'system', language: '', enter_sends: true, single_keys: true, text_size: 100, notify: 'text', sounds: true,
  receipts: true, typing: true, presence: false, lock_after: 0, at_login: false, retention: 0, disappear: 0, recent_emoji: '',
  calls_relay: false, calls_from: 'accepted', calls_ring: true, send_rate: 0, receive_rate: 0,
};

class SettingsStore {
  now = $state.raw<Settings>(defaults);
  loaded = $state(false);

  constructor() {
    live.on('settings', () => void this.load());
  }

  async load(): Promise<void> {
    this.#take(await loadSettings());
    this.loaded = true;
  }

  /** change shows at once and is taken back when the app refuses. */
  async change(change: SettingsChange): Promise<void> {
    const before = this.now;
    this.#take({ ...before, ...change } as Settings);
    try {
      this.#take(await changeSettings(change));
    } catch (err) {
      this.#take(before);
      throw err;
    }
  }

  #take(now: Settings): void {
    const language = this.now.language;
    this.now = now;
    const root = document.documentElement;
    if (now.theme === 'light' || now.theme === 'dark') root.dataset.theme = now.theme;
    else delete root.dataset.theme;
    root.style.setProperty('--text-scale', String(Math.min(200, Math.max(80, now.text_size || 100)) / 100));
    if (language !== now.language) void i18n.use(now.language);
  }
}

export const settings = new SettingsStore();
