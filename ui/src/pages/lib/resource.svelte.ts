import { Refused } from '../../api/request';

/**
 * Something that a page shows and loads: nothing yet, a value, or why there is none. A load
 * that was overtaken by another is forgotten.
 */
export class Resource<T> {
  value = $state.raw<T>();
  error = $state.raw<Refused>();
  #load: (signal: AbortSignal) => Promise<T>;
  #running?: AbortController;

  constructor(load: (signal: AbortSignal) => Promise<T>) {
    this.#load = load;
  }

  /** load fetches it anew; what was there stays until then. */
  async load(): Promise<void> {
    this.#running?.abort();
    const running = (this.#running = new AbortController());
    try {
      const value = await this.#load(running.signal);
      if (running.signal.aborted) return;
      this.value = value;
      this.error = undefined;
    } catch (err) {
      if (running.signal.aborted) return;
      if (!(err instanceof Refused)) throw err;
      this.error = err;
    }
  }

  stop(): void {
    this.#running?.abort();
  }
}
