// A person moves to another server, as a new user would; who knows them sees it, and what they
// compared stays compared. A conversation is moved in its details. A server says that it will
// be switched off.

import { beforeAll, describe, expect, test } from 'vitest';
import type { Person as Known, Room } from '../src/api/types';
import type { Person } from './person';
import { run } from './process';
import type { Server } from './server';
import { staged } from './stage';
import { until } from './until';
import { part, say } from './words';

describe('moving', () => {
  const stage = staged();
  let ana: Person, bo: Person;
  let one: Server, two: Server;

  beforeAll(async () => {
    [one, two] = await Promise.all([stage.server(), stage.server('--verbose')]);
    ana = stage.newcomer('ana');
    bo = stage.newcomer('bo');
    for (const p of [ana, bo]) {
      p.app.args.push('--allow-private', '*');
      await p.registers(`${p === ana ? 'ana' : 'bo'}@${one.host}`);
      await p.comes();
    }
    await stage.meet(ana, bo, 'before the move');
    await bo.app.call('PATCH', `/people/${ana.account}`, { compared: true });
  });

  test('the server says that it will be switched off', async () => {
    await run(['server', 'retire', '--json', '--data', one.dir, '--on', new Date(Date.now() + 60 * 86_400_000).toISOString().slice(0, 10), '--reason', 'The house is sold']);
    await ana.page.getByText('The house is sold').first().waitFor();
    await ana.page.getByRole('link', { name: say('retiring.move') }).first().click();
    await ana.heading('move.title').waitFor();
  });

  test('an invitation is asked for, and with one she moves', async () => {
    ana.watch.expected.push(/403|409/);
    await ana.press('move.begin');
    const dialog = ana.dialog('move.title');
    await ana.field('move.handle').fill(`ana@${two.host}`);
    await dialog.getByRole('button', { name: say('move.verb'), exact: true }).click();
    await dialog.locator('.banner').waitFor();
    await ana.field('move.invitation').fill(await two.invitation());
    await dialog.getByRole('button', { name: say('move.verb'), exact: true }).click();
    await ana.hearsToast('move.done', { handle: `ana@${two.host}` });
    await ana.page.getByText(part('retiring', { host: one.host })).first().waitFor({ state: 'detached' });
    await ana.knows();
    expect(ana.handle).toBe(`ana@${two.host}`);
  });

  test('Bo sees it once, and what he compared stays', async () => {
    const known = () => bo.app.call<Known>('GET', `/people/${ana.account}`);
    await until(async () => (await known()).handle === ana.handle, 'Bo knows the new handle');
    expect((await known()).compared).toBeTruthy();
    await bo.opens('ana');
    await bo.writes('to the new place');
    await ana.opens('bo');
    await ana.reads('to the new place');
    await ana.writes('from the new place');
    await bo.reads('from the new place');
  });

  test('the conversation is at the new server: by itself, and another one by hand', async () => {
    const hostOf = async (name: string) => (await ana.app.call<Room[]>('GET', '/rooms')).find((r) => r.name === name)?.host;
    await until(async () => (await hostOf('bo')) === two.host, 'it moved along');
    await bo.app.call('POST', '/rooms', { title: 'Club', with: [ana.handle] });
    await ana.row('Club').waitFor();
    expect(await hostOf('Club')).toBe(one.host);
    const club = (await bo.app.call<Room[]>('GET', '/rooms')).find((r) => r.name === 'Club')?.id ?? '';
    await bo.app.call('PUT', `/rooms/${club}/members/${ana.account}/admin`, { admin: true });
    await ana.opens('Club');
    await ana.more('details.open');
    await ana.press('details.move');
    await ana.dialog('details.move.title', { host: two.host }).getByRole('button', { name: say('details.move.verb') }).click();
    await ana.hearsToast('details.moved', { host: two.host });
    expect(await hostOf('Club')).toBe(two.host);
    await ana.press('details.close');
    await ana.writes('here now');
    await bo.opens('Club');
    await bo.reads('here now');
  });

  test('the old server is switched off, and all go on', async () => {
    await one.stop();
    await ana.opens('bo');
    await ana.writes('without it');
    await bo.opens('ana');
    await bo.reads('without it');
  });
});
