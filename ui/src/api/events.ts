// The event stream, read with fetch, because EventSource can carry no header. It connects
// anew by itself, ever more slowly, and says so: whoever shows something loads it again at
// each hello, since nothing is replayed.

import { eventsPath, key, keyHeader } from './calls';
import type { Event } from './types';

/** How the stream is: open, or away since it was lost or is not there yet. */
export type Link = 'connecting' | 'open' | 'away';

export interface Listener {
  event(e: Event): void;
  link(state: Link): void;
  /** The stream was refused: the session is over, or another program answers. */
  refused(status: number): void;
}

/** The longest line that is taken: a message of 64 KiB may triple as JSON. */
const maxLine = 4 << 20;

/** Wait before attempt n, in milliseconds: 250 doubling to 8000, and a random quarter. */
export function pause(attempt: number, random = Math.random()): number {
  return Math.min(8000, 250 * 2 ** attempt) * (1 + random / 4);
}

/**
 * Lines of a text/event-stream, as data fields of whole events: feed it pieces of text.
 * Comments, ids and names are skipped, as the app sends none that matter.
 */
export class EventReader {
  #rest = '';
  #data: string[] = [];

  constructor(private readonly emit: (data: string) => void) {}

  feed(text: string): void {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > maxLine) throw new Error('an event is too long');
    for (const line of lines) {
      if (line === '') {
        if (this.#data.length) this.emit(this.#data.join('\n'));
        this.#data = [];
      } else if (line.startsWith('data:')) {
        this.#data.push(line.slice(line[5] === ' ' ? 6 : 5));
      }
    }
  }
}

/** listen reads the stream of a window until stop is called. */
export function listen(window: string, to: Listener): { stop(): void; again(): void } {
  let attempt = 0;
  let stopped = false;
  let running = false;
  let controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function run(): Promise<void> {
    controller = new AbortController();
    running = true;
    try {
      const answer = await fetch(eventsPath({ window }), {
        headers: { [keyHeader]: key(), Accept: 'text/event-stream' },
        credentials: 'same-origin',
        cache: 'no-store',
        redirect: 'error',
        signal: controller.signal,
      });
      if (!answer.ok || !answer.body) {
        to.refused(answer.status);
      } else {
        const reader = new EventReader((data) => {
          const e = JSON.parse(data) as Event;
          if (e.type === 'hello') {
            attempt = 0;
            to.link('open');
          }
          to.event(e);
        });
        const decoder = new TextDecoder();
        for await (const piece of chunks(answer.body)) reader.feed(decoder.decode(piece, { stream: true }));
      }
    } catch {
      // lost, or stopped by ourselves: either way the next attempt says
    }
    running = false;
    if (stopped) return;
    to.link('away');
    timer = setTimeout(() => void run(), pause(attempt++));
  }

  to.link('connecting');
  void run();
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
      controller.abort();
    },
    /** Try at once: the network or the person is back. */
    again() {
      if (stopped) return;
      attempt = 0;
      if (running) return;
      clearTimeout(timer);
      void run();
    },
  };
}

async function* chunks(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.releaseLock();
  }
}
