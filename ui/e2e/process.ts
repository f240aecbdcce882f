// Real processes: the server and the app as people run them.

import { spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import { resolve } from 'node:path';

/** The program under test. */
export const sotto = process.env.SOTTO ?? resolve(import.meta.dirname, '../../bin/sotto');

/** How long anything may take that must happen, in milliseconds: far longer than it needs. */
export const patience = Number(process.env.E2E_PATIENCE ?? 60_000);

/** Process is one that prints a line when it is ready. */
export class Process {
  readonly ended: Promise<number | null>;
  errors = '';
  #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.stderr?.setEncoding('utf8').on('data', (s: string) => (this.errors += s));
    this.ended = new Promise((done) => child.once('exit', (code) => done(code)));
  }

  /** start runs sotto and waits for its first line, which is JSON. */
  static async start<T>(args: string[], env: Record<string, string> = {}): Promise<[Process, T]> {
    const child = spawn(sotto, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, DISPLAY: '', WAYLAND_DISPLAY: '', DBUS_SESSION_BUS_ADDRESS: '', ...env },
    });
    const p = new Process(child);
    const line = await new Promise<string>((done, failed) => {
      let text = '';
      const timer = setTimeout(() => failed(new Error(`sotto ${args.join(' ')} does not begin: ${p.errors}`)), patience);
      child.once('error', failed);
      void p.ended.then((code) => failed(new Error(`sotto ${args.join(' ')} ended with ${code}: ${p.errors}`)));
      child.stdout?.setEncoding('utf8').on('data', (s: string) => {
        text += s;
        if (!text.includes('\n')) return;
        clearTimeout(timer);
        done(text.slice(0, text.indexOf('\n')));
      });
    });
    return [p, JSON.parse(line) as T];
  }

  /** stop asks it to end, as a shutdown does, and waits. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.ended;
  }

  /** crash ends it in the middle of whatever it does. */
  async crash(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }
}

/** run runs a command of sotto to its end and returns the objects that it prints. */
export async function run(args: string[], env: Record<string, string> = {}): Promise<Record<string, unknown>[]> {
  const child = spawn(sotto, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  let out = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (s: string) => (out += s));
  child.stderr.setEncoding('utf8').on('data', (s: string) => (errors += s));
  const code = await new Promise<number | null>((done, failed) => {
    child.once('error', failed);
    child.once('close', done);
  });
  if (code !== 0) throw new Error(`sotto ${args.join(' ')} ended with ${code}: ${errors}${out}`);
  return out.split('\n').filter((l) => l.startsWith('{')).map((l) => JSON.parse(l) as Record<string, unknown>);
}

/** freePort is a port that nothing listens on, below those that a system gives to connections: none of
 * them takes it while what listens there is stopped. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 12_000 + Math.floor(Math.random() * 20_000);
    const s = createServer().listen(port, '127.0.0.1');
    const free = await new Promise<boolean>((done) => s.once('listening', () => done(true)).once('error', () => done(false)));
    if (!free) continue;
    await new Promise((done) => s.close(done));
    return port;
  }
}
