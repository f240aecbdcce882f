import { Refused } from '../../api/request';

/** How long after the last key something is asked, in milliseconds. */
const rest = 300;

/**
 * A question that is asked anew while somebody types, once they rest: is this name free,
 * what is this link? Only the answer to the last question counts.
 */
export class Check<T> {
  value = $state.raw<T>();
  error = $state.raw<Refused>();
  /** What value or error answer. */
  asked = $state('');
  #question: (text: string, signal: AbortSignal) => Promise<T>;
  #want = '';
  #timer = 0;
  #running?: AbortController;

  constructor(question: (text: string, signal: AbortSignal) => Promise<T>) {
    this.#question = question;
  }

  /** ask puts the question about a text; about "" there is none. */
  ask(text: string): void {
    if (text === this.#want) return;
    this.#want = text;
    clearTimeout(this.#timer);
    this.#running?.abort();
    if (!text) {
      this.value = undefined;
      this.error = undefined;
      this.asked = '';
    } else {
      this.#timer = window.setTimeout(() => void this.#run(text), rest);
    }
  }

  /** again repeats the last question, at once. */
  again(): void {
    if (this.#want) void this.#run(this.#want);
  }

  async #run(text: string): Promise<void> {
    const running = (this.#running = new AbortController());
    let value: T | undefined;
    let error: Refused | undefined;
    try {
      value = await this.#question(text, running.signal);
    } catch (err) {
      if (!running.signal.aborted && !(err instanceof Refused)) throw err;
      if (err instanceof Refused) error = err;
    }
    if (running.signal.aborted) return;
    this.value = value;
    this.error = error;
    this.asked = text;
  }
}
