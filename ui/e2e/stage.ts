// The stage of a play: a browser, home servers and people, in a directory of their own.

import { mkdtempSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll } from 'vitest';
import type { Violation } from '../src/api/types';
import { Person, type Window } from './person';
import { Server } from './server';

const flags = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage', '--font-render-hinting=none',
];

export class Stage {
  #dir = '';
  #browser: Browser | undefined;
  #servers: Server[] = [];
  #people: Person[] = [];

  async open(args: string[] = []): Promise<void> {
    this.#dir = mkdtempSync(join(tmpdir(), 'sotto-e2e-'));
    this.#browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: [...flags, ...args] });
  }

  get browser(): Browser {
    if (!this.#browser) throw new Error('the stage is not open');
    return this.#browser;
  }

  /** server starts a home server; anybody may register unless other arguments are given. */
  async server(...args: string[]): Promise<Server> {
    const s = new Server(join(this.#dir, `server-${this.#servers.length}`), args.length ? args : ['--open']);
    this.#servers.push(s);
    await s.start();
    return s;
  }

  /** dir makes a directory that goes with the stage. */
  dir(name: string): string {
    const path = join(this.#dir, name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  /** newcomer is somebody without an account. */
  newcomer(name: string): Person {
    const p = new Person(this.browser, join(this.#dir, name));
    this.#people.push(p);
    return p;
  }

  /** person has an account at a server, and a window. */
  async person(name: string, at: Server, window: Window = {}): Promise<Person> {
    const p = this.newcomer(name);
    await p.registers(`${name}@${at.host}`);
    await p.comes(window);
    return p;
  }

  /** meet lets two people know each other: the first has written, the second has accepted. */
  async meet(a: Person, b: Person, text = 'hello'): Promise<void> {
    await a.sends(b.handle, text);
    await b.accepts(a);
  }

  /** check fails when a page did what none may do. */
  async check(): Promise<void> {
    const wrong: string[] = [];
    for (const p of this.#people) {
      wrong.push(...p.watch.wrong.splice(0).map((w) => `${p.name}: ${w}`));
      if (!p.app.running) continue;
      for (const v of await p.app.call<Violation[]>('GET', '/violations').catch(() => [])) {
        wrong.push(`${p.name}: the app was told of a violation: ${JSON.stringify(v)}`);
      }
    }
    if (wrong.length) throw new Error(wrong.join('\n'));
  }

  /** show keeps what the windows showed when a test failed, and what the processes said. */
  async show(test: string): Promise<void> {
    const dir = process.env.E2E_FAILED ?? join(import.meta.dirname, '.failed');
    mkdirSync(dir, { recursive: true });
    for (const p of this.#people) {
      if (p.hasWindow) await p.page.screenshot({ path: join(dir, `${test}-${p.name}.png`.replace(/[^\w.-]+/g, '-')), timeout: 5_000 }).catch(() => {});
      if (p.app.errors) console.error(`${p.name}'s app said:\n${p.app.errors}`);
    }
  }

  async close(): Promise<void> {
    await this.#browser?.close();
    await Promise.all(this.#people.map((p) => p.app.stop()));
    await Promise.all(this.#servers.map((s) => s.stop()));
    if (this.#dir) rmSync(this.#dir, { recursive: true, force: true });
  }
}

/** staged gives the tests around it one stage, and looks after each of them at what happened. */
export function staged(...args: string[]): Stage {
  const stage = new Stage();
  beforeAll(() => stage.open(args));
  afterEach(async (context) => {
    if (context.task.result?.state === 'fail') await stage.show(context.task.name);
    await stage.check();
  });
  afterAll(() => stage.close());
  return stage;
}
