// The event stream of this window, and who listens to it.

import { listen, type Link } from '../api/events';
import type { Event, EventType } from '../api/types';
import { ui } from './ui.svelte';

type Handler = (e: Event) => void;

class Live {
  /** How the connection to the app is. */
  link = $state<Link>('connecting');
  /** When it was lost; 0 while it is there. */
  lostAt = $state(0);
  #handlers = new Map<EventType, Set<Handler>>();
  #stream: ReturnType<typeof listen> | undefined;
  #refused = new Set<(status: number) => void>();

  /** on calls f for every event of a type. Answers what ends that. */
  on(type: EventType, f: Handler): () => void {
    let set = this.#handlers.get(type);
    if (!set) this.#handlers.set(type, (set = new Set()));
    set.add(f);
    return () => set.delete(f);
  }

  onRefused(f: (status: number) => void): void {
    this.#refused.add(f);
  }

  start(): void {
    if (this.#stream) return this.#stream.again();
    this.#stream = listen(ui.name, {
      event: (e) => {
        for (const f of this.#handlers.get(e.type) ?? []) f(e);
      },
      link: (link) => {
        if (link === 'open') this.lostAt = 0;
        else if (link === 'away' && this.link !== 'away') this.lostAt = Date.now();
        this.link = link;
      },
      refused: (status) => {
        for (const f of this.#refused) f(status);
      },
    });
  }

  constructor() {
    globalThis.addEventListener?.('online', () => this.#stream?.again());
    globalThis.document?.addEventListener('visibilitychange', () => {
      if (!document.hidden && this.link === 'away') this.#stream?.again();
    });
  }

  stop(): void {
    this.#stream?.stop();
    this.#stream = undefined;
  }
}

export const live = new Live();
