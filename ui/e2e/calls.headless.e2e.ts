// A window and `sotto call`, which has none, call each other: Chromium and Firefox. What is
// played to them was recorded from Chromium in the first call, so it is real sound and real pictures.

import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { frames, live, louder, type Caller } from './callplay';
import { calling, sitsInChromium } from './chromium';
import { firefox, sitsInFirefox, type FirefoxSeat } from './firefox';
import type { Person } from './person';
import { sotto } from './process';
import { media, stands, words } from './seat';
import { staged } from './stage';
import { until } from './until';

describe('a call with sotto call', () => {
  const stage = staged(...calling);
  let browser: Browser;
  let fox: FirefoxSeat;
  let ana: Caller, cy: Caller;
  let bo: Person;
  let files: string;
  let phone: ChildProcess | undefined;
  let said = '';

  beforeAll(async () => {
    const server = await stage.server();
    const people = ['ana', 'bo', 'cy'].map((n) => stage.newcomer(n)) as [Person, Person, Person];
    await Promise.all(people.map((p, i) => p.registers(`${['ana', 'bo', 'cy'][i]}@${server.host}`)));
    await Promise.all(people.map((p) => p.app.start()));
    const [a, b, c] = people;
    await stage.meet(a, b);
    await stage.meet(c, b);
    bo = b;
    await b.app.stop();
    files = stage.dir('files');
    browser = await firefox();
    fox = await sitsInFirefox(browser, c.app);
    ana = { name: 'ana', app: a.app, seat: await sitsInChromium(a) };
    cy = { name: 'cy', app: c.app, seat: fox };
  });
  afterEach(async () => {
    await stops();
    expect(fox.wrong.splice(0)).toEqual([]);
  });
  afterAll(() => browser?.close());

  /** phones runs sotto call for Bo. */
  function phones(...args: string[]): void {
    said = '';
    phone = spawn(sotto, ['--home', bo.home, '--json', 'call', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const out of [phone.stdout, phone.stderr]) out?.setEncoding('utf8').on('data', (s: string) => (said += s));
  }
  async function stops(): Promise<void> {
    if (!phone || phone.exitCode !== null) return;
    const gone = new Promise((done) => phone?.once('exit', done));
    phone.kill('SIGINT');
    await gone;
  }
  const news = (what: string) => until(async () => said.includes(what), `${what} in what sotto call says: ${said}`);

  /** opens goes to the conversation with Bo. */
  async function opens(at: Caller): Promise<void> {
    const room = await until(async () => (await at.app.call<{ id: string; name: string }[]>('GET', '/rooms')).find((r) => r.name === 'bo'), 'a conversation with bo');
    await until(() => stands(at.seat, `[data-room="${room.id}"]`), 'bo in the list');
    await at.seat.run((id) => document.querySelector<HTMLElement>(`[data-room="${id}"]`)?.click(), room.id);
  }
  async function ends(at: Caller): Promise<void> {
    await at.seat.press('call.hangup');
    await until(async () => !(await live(at)).length, 'no call');
  }

  for (const name of ['Chromium', 'Firefox'] as const) {
    const who = () => (name === 'Chromium' ? ana : cy);

    test(`${name} calls it: what it says is recorded, and what was recorded is heard and seen`, async () => {
      const at = who();
      const heard = join(files, `${name}.ogg`);
      const seen = join(files, `${name}.ivf`);
      await opens(at);
      phones('--answer', '--record', heard);
      await news('waiting');
      await at.seat.press('head.video', { name: 'bo' });
      await until(() => stands(at.seat, 'main.call[data-link=open]'), 'a connection');
      await until(async () => (await words(at.seat)).length === 2, 'words');
      await until(async () => existsSync(heard) && statSync(heard).size > 40_000 && existsSync(seen) && statSync(seen).size > 60_000, 'sound and pictures in files');
      await at.seat.press('call.hold');
      await at.seat.press('call.hold');
      await ends(at);
      await stops();

      phones('--answer', '--play', join(files, 'Chromium.ogg'), '--play', join(files, 'Chromium.ivf'));
      await news('waiting');
      await at.seat.press('head.video', { name: 'bo' });
      await Promise.all([frames(at.seat, 0), louder(at.seat)]);
      expect((await media(at.seat)).picture).toBe('video/VP8');
      await ends(at);
    });

    test(`it calls ${name}, and hangs up when everything is played`, async () => {
      const at = who();
      phones(`${at.name}@${bo.handle.split('@')[1]}`, '--play', join(files, 'Chromium.ogg'), '--play', join(files, 'Chromium.ivf'));
      await until(() => stands(at.seat, 'dialog[role=alertdialog]'), 'a ring');
      await at.seat.press('ring.answer');
      await Promise.all([frames(at.seat, 0, 3), louder(at.seat)]);
      await until(async () => !(await stands(at.seat, 'main.call')), 'the end');
      await news('hung_up');
    });
  }
});
