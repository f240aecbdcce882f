// One call of the local interface: fetch, the session's key, and refusals as errors.

import { key, keyHeader } from './calls';
import type { Failure } from './types';

/** Refused is what a call throws: the Failure that the app answered, or that it did not answer. */
export class Refused extends Error {
  override name = 'Refused';

  /** @param status the HTTP status; 0 when there was no answer */
  constructor(readonly status: number, readonly failure: Failure) {
    super(failure.text);
  }

  get code(): string {
    return this.failure.code;
  }
}

/** The app on this computer is not there: quit, asleep, or being replaced by a newer one. */
export const away = 'app-away';

export interface Options {
  query?: object;
  body?: object;
  signal?: AbortSignal;
}

export const base = '/api/v1';

/** Text of a query: what is undefined is left out. */
function search(query: object): string {
  const values = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) values.set(name, String(value));
  }
  const text = values.toString();
  return text && '?' + text;
}

/** Who wants to know of every refusal, for example that the session ended. */
const listeners = new Set<(refused: Refused) => void>();

export function onRefused(f: (refused: Refused) => void): () => void {
  listeners.add(f);
  return () => listeners.delete(f);
}

/**
 * request makes one call under /api/v1. It throws Refused for every answer that is not
 * 2xx and when there is none, and an AbortError when signal is aborted.
 */
export async function request<T>(method: string, path: string, o: Options = {}): Promise<T> {
  const init: RequestInit = {
    method,
    headers: { [keyHeader]: key(), Accept: 'application/json' },
    credentials: 'same-origin',
    cache: 'no-store',
    redirect: 'error',
    referrerPolicy: 'no-referrer',
    signal: o.signal,
  };
  if (o.body !== undefined) {
    init.body = JSON.stringify(o.body);
    init.headers = { ...init.headers, 'Content-Type': 'application/json' };
  }
  let answer: Response;
  try {
    answer = await fetch(base + path + search(o.query ?? {}), init);
  } catch (err) {
    if (o.signal?.aborted) throw err;
    throw refuse(new Refused(0, { code: away, text: '' }));
  }
  if (!answer.ok) throw refuse(new Refused(answer.status, await failure(answer)));
  if (answer.status === 204 || answer.headers.get('Content-Length') === '0') return undefined as T;
  return (await answer.json()) as T;
}

function refuse(refused: Refused): Refused {
  for (const f of listeners) f(refused);
  return refused;
}

/** The Failure in an answer's body; something like it when there is none. */
async function failure(answer: Response): Promise<Failure> {
  try {
    const f: unknown = await answer.json();
    if (f && typeof f === 'object' && 'code' in f && typeof f.code === 'string') return f as Failure;
  } catch {
    // not JSON: said below
  }
  return { code: `http-${answer.status}`, text: '' };
}
