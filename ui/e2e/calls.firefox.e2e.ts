// Calls with a Firefox in them: with Chromium both ways, and with itself.

import type { Browser } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { play, type Caller } from './callplay';
import { calling, sitsInChromium } from './chromium';
import { firefox, sitsInFirefox, type FirefoxSeat } from './firefox';
import type { Person } from './person';
import { stands } from './seat';
import { staged } from './stage';
import { until } from './until';

describe('calls with Firefox', () => {
  const stage = staged(...calling);
  let browser: Browser;
  let ana: Caller, bo: Caller, cy: Caller;
  const foxes: FirefoxSeat[] = [];

  beforeAll(async () => {
    const server = await stage.server();
    const people = ['ana', 'bo', 'cy'].map((n) => stage.newcomer(n)) as [Person, Person, Person];
    await Promise.all(people.map((p, i) => p.registers(`${['ana', 'bo', 'cy'][i]}@${server.host}`)));
    await Promise.all(people.map((p) => p.app.start()));
    const [a, b, c] = people;
    for (const [x, y] of [[a, b], [b, a], [b, c]] as const) if (!(await x.rooms()).some((r) => r.name === y.name)) await stage.meet(x, y);
    browser = await firefox();
    foxes.push(await sitsInFirefox(browser, b.app), await sitsInFirefox(browser, c.app));
    ana = { name: 'ana', app: a.app, seat: await sitsInChromium(a) };
    bo = { name: 'bo', app: b.app, seat: foxes[0] as FirefoxSeat };
    cy = { name: 'cy', app: c.app, seat: foxes[1] as FirefoxSeat };
  });
  afterEach(() => expect(foxes.flatMap((f) => f.wrong.splice(0))).toEqual([]));
  afterAll(() => browser?.close());

  /** opens goes to the conversation that one calls from. */
  async function opens(at: Caller, name: string): Promise<void> {
    const row = await until(async () => (await at.app.call<{ id: string; name: string }[]>('GET', '/rooms')).find((r) => r.name === name), `a conversation with ${name}`);
    await until(() => stands(at.seat, `[data-room="${row.id}"]`), `${name} in the list`);
    await at.seat.run((id) => document.querySelector<HTMLElement>(`[data-room="${id}"]`)?.click(), row.id);
  }

  test('Chromium calls Firefox', async () => {
    await opens(ana, 'bo');
    await play(ana, bo);
  });

  test('Firefox calls Chromium', async () => {
    await opens(bo, 'ana');
    await play(bo, ana);
  });

  test('Firefox calls Firefox', async () => {
    await opens(bo, 'cy');
    await play(bo, cy);
  });
});
