// The first run: an invitation that is opened, a home server that is typed, one that is
// started here; a name; and the first message is delivered. How long it takes is printed.

import { describe, expect, test } from 'vitest';
import type { Link } from '../src/api/types';
import { staged } from './stage';
import { until } from './until';
import { freePort } from './process';
import { part, say } from './words';

describe('the first run', () => {
  const stage = staged();

  test('a friend’s invitation: opened, a name, written, delivered', async () => {
    const server = await stage.server('--open');
    const ana = await stage.person('ana', server);
    await ana.app.call('PATCH', '/me', { name: 'Ana' });
    const link = (await ana.app.call<Link>('POST', '/me/links', { hours: 24 })).url;
    const bo = stage.newcomer('bo');
    await bo.app.start();
    const begun = performance.now();
    await bo.look(await bo.app.opening(link));
    await bo.radio('first.invited', { name: 'Ana' }).waitFor();
    expect(await bo.radio('first.invited', { name: 'Ana' }).isChecked()).toBe(true);
    const usable = performance.now();
    await bo.field('first.name').fill('Bo Lindqvist');
    await bo.page.getByText(part('first.free.shown', { handle: `bo-lindqvist@${server.host}` })).or(bo.page.getByText(/is free/)).first().waitFor();
    await bo.press('first.begin');
    await bo.composer.waitFor();
    const registered = performance.now();
    await bo.writes('I am in');
    await bo.knows();
    await ana.page.locator('.ask').filter({ hasText: 'Bo Lindqvist' }).or(ana.page.locator('.ask').filter({ hasText: bo.name })).click();
    await ana.page.getByText('I am in').first().waitFor();
    await ana.press('req.accept');
    await bo.state('I am in', 'delivered', 'read');
    const delivered = performance.now();
    console.log(`first run: window ${Math.round(usable - begun)} ms, registered ${Math.round(registered - usable)} ms, to delivered ${Math.round(delivered - begun)} ms`);
  });

  test('an operator’s invitation, opened on the command line', async () => {
    const server = await stage.server('--listen', '127.0.0.1:0'); // by invitation only
    const cy = stage.newcomer('cy');
    const link = await server.invitation();
    await cy.app.start();
    await cy.look(await cy.app.opening(link));
    await cy.field('first.name').fill('cy');
    await cy.page.getByText(part('first.free', { handle: `cy@${server.host}` })).waitFor();
    await cy.press('first.begin');
    await cy.text('list.empty').waitFor();
    await cy.knows();
    expect(cy.handle).toBe(`cy@${server.host}`);
  });

  test('looking at an invitation spends nothing', async () => {
    const server = await stage.server('--listen', '127.0.0.1:0');
    const link = await server.invitation();
    const bare = link.split('#')[0] ?? '';
    for (let i = 0; i < 3; i++) expect((await fetch(bare)).status).toBe(200); // as mail scanners do
    const dee = stage.newcomer('dee');
    await dee.app.start();
    await dee.look(await dee.app.opening(link));
    await dee.field('first.name').fill('dee');
    await dee.page.getByText(part('first.free', { handle: `dee@${server.host}` })).waitFor();
    await dee.press('first.begin');
    await dee.text('list.empty').waitFor();
  });

  test('a home server that is typed: unknown, then right; a name that is taken, then free', async () => {
    const server = await stage.server();
    await stage.newcomer('taken').registers(`eve@${server.host}`);
    const eve = stage.newcomer('eve');
    await eve.comes();
    eve.watch.expected.push(/status of [45]\d\d/);
    await eve.radio('first.server').check();
    await eve.field('first.server.label').fill('127.0.0.1:1');
    await eve.page.locator('.hint.error').first().waitFor();
    await eve.field('first.server.label').fill(server.host);
    await eve.text('first.server.open', { host: server.host }).waitFor();
    await eve.field('first.name').fill('eve');
    await eve.text('first.taken', { handle: `eve@${server.host}` }).waitFor();
    expect(await eve.button('first.begin').isDisabled()).toBe(true);
    await eve.field('first.name').fill('eve2');
    await eve.text('first.free', { handle: `eve2@${server.host}` }).waitFor();
    await eve.press('first.begin');
    await eve.text('list.empty').waitFor();
  });

  test('a code is asked for where the server wants one, and a wrong one is refused', async () => {
    const server = await stage.server('--listen', '127.0.0.1:0');
    const gus = stage.newcomer('gus');
    await gus.comes();
    gus.watch.expected.push(/status of [45]\d\d/);
    await gus.radio('first.server').check();
    await gus.field('first.server.label').fill(server.host);
    await gus.text('first.server.closed', { host: server.host }).waitFor();
    await gus.field('first.code').fill('abcd-abcd-abcd-abcd');
    await gus.field('first.name').fill('gus');
    await gus.text('first.free', { handle: `gus@${server.host}` }).waitFor();
    await gus.press('first.begin');
    await gus.page.locator('.hint.error').first().waitFor();
    await gus.field('first.code').fill(await server.invitation());
    // A whole link is taken for what it is.
    await gus.field('first.name').waitFor();
    await gus.text('first.free', { handle: `gus@${server.host}` }).waitFor();
    await gus.press('first.begin');
    await gus.text('list.empty').waitFor();
  });

  test('a home server started on this computer, and who can reach it', async () => {
    const hal = stage.newcomer('hal');
    await hal.comes();
    await hal.radio('first.start').check();
    await hal.field('first.start.label').fill(`127.0.0.1:${await freePort()}`);
    await hal.press('first.start.go');
    await hal.text('reach.computer').or(hal.text('reach.network')).first().waitFor();
    await hal.field('first.name').fill('hal');
    await hal.page.getByText(part('first.free')).waitFor();
    await hal.press('first.begin');
    await hal.text('list.empty').waitFor();
    await hal.knows();
    const room = await hal.app.call<{ id: string }>('POST', '/rooms/self');
    await hal.goes(`/r/${room.id}`);
    await hal.writes('a note at home');
    await hal.state('a note at home', 'stored', 'read');
  });

  test('words that are none bring nothing back', async () => {
    const ida = stage.newcomer('ida');
    await ida.comes();
    ida.watch.expected.push(/40\d/);
    await ida.press('first.words');
    await ida.field('linking.handle').fill('ida@example.org');
    await ida.field('words.title').fill('abandon '.repeat(24));
    await ida.press('first.words.go');
    await ida.page.locator('[class*=danger]').first().waitFor();
    await ida.press('word.back');
    await ida.page.getByRole('heading', { name: say('first.welcome') }).waitFor();
  });

  test('the address of a window opens one window, once', async () => {
    const server = await stage.server();
    const jo = await stage.person('jo', server);
    const opened = await jo.app.opening();
    const second = await stage.browser.newContext();
    const page = await second.newPage();
    await page.goto(opened);
    await page.getByText(part('list.empty')).first().waitFor();
    const third = await (await stage.browser.newContext()).newPage();
    await third.goto(opened);
    await third.getByText(part('stage.closed')).first().waitFor();
    await until(async () => page.url() === `${jo.app.origin}/`, 'an address without its token');
    await second.close();
    await third.context().close();
  });
});
