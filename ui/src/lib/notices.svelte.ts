// What the person should know, besides messages: the newest first.

import { notices as loadNotices, told } from '../api/calls';
import { Refused } from '../api/request';
import type { Notice } from '../api/types';
import { live } from './live.svelte';
import { session } from './session.svelte';

class Notices {
  list = $state.raw<Notice[]>([]);
  #told = $state(0);

  /** There are some that were not shown. */
  readonly news: boolean = $derived(this.list.some((n) => n.id > Math.max(this.#told, session.state?.news_through ?? 0)));

  constructor() {
    live.on('notice', (e) => {
      if (e.notice) this.list = [e.notice, ...this.list.filter((n) => n.id !== e.notice?.id)].slice(0, 200);
    });
  }

  async load(): Promise<void> {
    const after = session.state?.news_through ?? 0;
    this.list = (await loadNotices({ after: Math.max(0, after - 200) })).sort((a, b) => b.id - a.id);
  }

  /** All of them were shown. */
  async shown(): Promise<void> {
    const through = Math.max(0, ...this.list.map((n) => n.id));
    if (through <= Math.max(this.#told, session.state?.news_through ?? 0)) return;
    this.#told = through;
    try {
      await told({ through });
    } catch (err) {
      if (!(err instanceof Refused)) throw err;
      this.#told = 0;
    }
  }
}

export const notices = new Notices();
