// When something is away: the home server (killed and started again), the app on this
// computer, a window; and two windows of one person.

import { beforeAll, describe, expect, test } from 'vitest';
import type { Person } from './person';
import type { Server } from './server';
import { staged } from './stage';
import { until } from './until';
import { part } from './words';

describe('what is away', () => {
  const stage = staged();
  let server: Server;
  let ana: Person, bo: Person;

  beforeAll(async () => {
    server = await stage.server();
    [ana, bo] = await Promise.all([stage.person('ana', server), stage.person('bo', server)]);
    await stage.meet(ana, bo);
    await ana.opens('bo');
    await bo.opens('ana');
    await bo.reads('hello');
  });

  test('the server is killed: it is said, messages wait, and go by themselves', async () => {
    await server.crash();
    await ana.text('banner.away', { host: server.host }).waitFor();
    for (let i = 1; i <= 5; i++) await ana.writes(`queued ${i}`);
    await ana.state('queued 5', 'queued');
    await bo.writes('queued at bo');
    await bo.state('queued at bo', 'queued');
    await server.start();
    for (let i = 1; i <= 5; i++) await bo.reads(`queued ${i}`);
    await ana.reads('queued at bo');
    await ana.text('banner.away', { host: server.host }).waitFor({ state: 'detached' });
    await ana.state('queued 5', 'read');
    const texts = await bo.log.locator('[role=article]').allInnerTexts();
    const order = texts.map((x) => /queued (\d)/.exec(x)?.[1]).filter(Boolean).join('');
    expect(order).toBe('12345');
  });

  test('the app is killed and comes back: the window goes on', async () => {
    ana.watch.expected.push(/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE|ERR_EMPTY|ERR_CONNECTION_RESET/);
    // The old window may ask the new process before it is opened anew: it has no session there.
    ana.watch.expected.push(/status of 401 .*\/api\/v1\/events/);
    await ana.composer.fill('half written');
    await ana.page.waitForFunction(() => document.activeElement?.tagName === 'TEXTAREA');
    await until(async () => (await ana.room('bo')).draft === 'half written', 'the draft at the app');
    await ana.app.crash();
    await ana.text('link.away').waitFor();
    await bo.writes('while you were gone');
    await ana.app.start();
    // The browser of the old window has no session with the new process: a new one is opened.
    await ana.page.goto(await ana.app.opening());
    await ana.opens('bo');
    await ana.reads('while you were gone');
    await until(async () => (await ana.composer.inputValue()) === 'half written', 'the draft');
    await ana.composer.fill('');
  });

  test('the app is ended while the window is closed, and messages have come when it is back', async () => {
    await bo.leaves();
    await bo.app.stop();
    await ana.writes('sleep well');
    await ana.state('sleep well', 'stored');
    await bo.comes();
    await bo.opens('ana');
    await bo.reads('sleep well');
    await ana.state('sleep well', 'read');
  });

  test('the app lives on when its window is closed', async () => {
    await bo.leaves();
    await ana.writes('knock knock');
    await ana.state('knock knock', 'delivered');
    await bo.comes();
    await bo.row('ana').locator('.count').waitFor();
  });

  test('two windows of one person show the same at once', async () => {
    const first = bo.page;
    const second = await bo.look(await bo.app.opening());
    await bo.opens('ana');
    await bo.writes('from the second window');
    await first.bringToFront();
    await first.getByRole('navigation').getByText('from the second window').waitFor();
    await first.locator('[data-room]').filter({ hasText: 'ana' }).click();
    await first.getByRole('log').getByText('from the second window').waitFor();
    await ana.reads('from the second window');
    await second.close();
    expect(await first.title()).toMatch(/ana/);
    await first.getByText(part('composer.to', { name: 'ana' })).or(first.locator('footer textarea')).first().waitFor();
  });
});
