// A home server, as its operator runs it.

import { join } from 'node:path';
import { freePort, Process, run } from './process';

export class Server {
  host = '';
  #process: Process | undefined;

  constructor(readonly dir: string, readonly args: string[]) {}

  /** start serves: the first time on a free port, then on the same one. */
  async start(): Promise<void> {
    const [p, first] = await Process.start<{ host: string }>(['server', '--json', '--data', this.dir, '--listen', this.host || `127.0.0.1:${await freePort()}`, ...this.args]);
    this.#process = p;
    this.host = first.host;
  }

  /** crash ends it with SIGKILL. */
  async crash(): Promise<void> {
    await this.#process?.crash();
    this.#process = undefined;
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
    this.#process = undefined;
  }

  /** invitation is a link that gives the right to register here. */
  async invitation(): Promise<string> {
    const [made] = await run(['server', 'invite', '--json', '--data', this.dir]);
    return String(made?.link ?? join('no link in', JSON.stringify(made)));
  }
}
