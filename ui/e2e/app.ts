// The app of one person, through its socket: what a script of theirs could do.

import { request } from 'node:http';
import { join } from 'node:path';
import type { Failure, Opening } from '../src/api/types';
import { Process, run } from './process';

/** Refusal is an answer that is not 2xx. */
export class Refusal extends Error {
  constructor(readonly status: number, readonly failure: Partial<Failure>, what: string) {
    super(`${what}: ${status} ${failure.code} ${failure.text}`);
  }
}

/** App is a running sotto with its home. */
export class App {
  #process: Process | undefined;
  origin = '';
  /** Said to every start: what is not usual. */
  readonly args: string[] = [];

  constructor(readonly home: string) {}

  /** start runs it and returns the address of a window. */
  async start(env: Record<string, string> = {}): Promise<string> {
    const [p, first] = await Process.start<Opening>(['--home', this.home, ...this.args, '--json', '--timeout', '60s', 'app', '--print-url'], env);
    this.#process = p;
    this.origin = new URL(first.url).origin;
    return first.url;
  }

  get running(): boolean {
    return this.#process !== undefined;
  }

  get errors(): string {
    return this.#process?.errors ?? '';
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
    this.#process = undefined;
  }

  async crash(): Promise<void> {
    await this.#process?.crash();
    this.#process = undefined;
  }

  /** ended waits until it has ended by itself. */
  async ended(): Promise<void> {
    await this.#process?.ended;
    this.#process = undefined;
  }

  /** opening is the address of one more window. */
  async opening(link?: string): Promise<string> {
    return (await this.call<Opening>('POST', '/openings', { link })).url;
  }

  /** call makes one call of the local interface over the socket. */
  call<T = unknown>(method: string, path: string, body?: object): Promise<T> {
    return new Promise((done, failed) => {
      const r = request(
        { socketPath: join(this.home, 'app.sock'), method, path: '/api/v1' + path, headers: body ? { 'Content-Type': 'application/json' } : {} },
        (answer) => {
          let text = '';
          answer.setEncoding('utf8').on('data', (s: string) => (text += s));
          answer.on('end', () => {
            const value: unknown = text ? JSON.parse(text) : undefined;
            const status = answer.statusCode ?? 0;
            if (status < 300) done(value as T);
            else failed(new Refusal(status, value as Failure, `${method} ${path}`));
          });
        },
      );
      r.on('error', failed);
      r.end(body && JSON.stringify(body));
    });
  }

  /** cli runs a command of sotto for this home, whether the app runs or not. */
  cli(...args: string[]): Promise<Record<string, unknown>[]> {
    return run(['--home', this.home, '--json', '--timeout', '60s', ...args]);
  }
}
