// The 24 words, as somebody writes them down who then loses the only device.

import { beforeAll, describe, expect, test } from 'vitest';
import type { Recovery, RoomDetail } from '../src/api/types';
import type { Person } from './person';
import type { Server } from './server';
import { staged } from './stage';
import { until } from './until';
import { say } from './words';

describe('every device is lost', () => {
  const stage = staged();
  let ana: Person, bo: Person, fresh: Person;
  let server: Server;
  let words: string[] = [];
  let club = '';

  beforeAll(async () => {
    server = await stage.server();
    [ana, bo] = await Promise.all([stage.person('ana', server), stage.person('bo', server)]);
    await stage.meet(ana, bo, 'before it was lost');
    club = (await ana.app.call<RoomDetail>('POST', '/rooms', { title: 'Club', with: [bo.handle] })).id;
    await bo.row('Club').waitFor();
    await bo.app.call('PATCH', `/people/${ana.account}`, { compared: true });
    await ana.app.call('PUT', `/rooms/${club}/members/${bo.account}/admin`, { admin: true });
    await until(async () => (await bo.app.call<RoomDetail>('GET', `/rooms/${club}`)).admin, 'Bo manages it too');
    fresh = stage.newcomer('ana-new');
    await fresh.comes();
  });

  test('the words are shown once, and set when three were typed back', async () => {
    await ana.goes('/you/devices');
    await ana.page.getByText(say('words.none')).waitFor();
    await ana.page.getByText(say('words.mark')).first().waitFor({ state: 'attached' });
    await ana.press('words.write');
    await ana.dialog('words.write.title').getByRole('button', { name: say('words.show') }).click();
    const shown = ana.dialog('words.title').getByRole('listitem');
    await shown.first().waitFor();
    words = (await shown.allInnerTexts()).map((x) => x.replace(/[^a-z]/g, ''));
    expect(words.length).toBe(24);
    await ana.dialog('words.title').getByRole('button', { name: say('words.written') }).click();
    const places = (await ana.app.call<Recovery>('GET', '/recovery')).places ?? [];
    expect(places.length).toBe(3);
    const ask = ana.dialog('words.ask');
    ana.watch.expected.push(/400/);
    for (const place of places) await ask.getByLabel(say('words.place', { n: place })).fill('zoo');
    await ask.getByRole('button', { name: say('words.confirm') }).click();
    await ask.locator('[class*=danger]').first().waitFor();
    for (const place of places) await ask.getByLabel(say('words.place', { n: place })).fill(words[place - 1] ?? '');
    await ask.getByRole('button', { name: say('words.confirm') }).click();
    await ana.hearsToast('words.done');
    await ana.button('words.replace').waitFor();
    await until(async () => (await ana.app.call<Recovery>('GET', '/recovery')).record, 'the record is at the home server');
  });

  test('a new device brings back the name, the contact and the conversation', async () => {
    await fresh.press('first.words');
    await fresh.field('linking.handle').fill(ana.handle);
    await fresh.field('words.title').fill(words.map((w) => w.slice(0, 4)).join(' ').toUpperCase());
    await fresh.press('first.words.go');
    bo.watch.expected.push(/404/); // the old conversation is shown in the new one from here on
    await fresh.row('bo').waitFor();
    await fresh.knows();
    expect(fresh.account).toBe(ana.account);
    await fresh.opens('bo');
    await fresh.writes('I am back');
    await bo.opens('ana');
    await bo.reads('before it was lost');
    await bo.reads('I am back');
    // Bo had compared numbers, and her key is new: what he writes waits for his word.
    await bo.text('banner.paused.text').waitFor();
    await bo.writes('is that you?');
    await bo.state('is that you?', 'queued');
    await fresh.writes('it is me');
    await bo.reads('it is me');
    await bo.state('is that you?', 'queued');
    await bo.press('banner.paused.send');
    await fresh.reads('is that you?');
    await bo.text('banner.paused.text').waitFor({ state: 'detached' });
    await until(async () => (await ana.app.call<{ text: string }[]>('GET', '/notices')).some((n) => /was unlinked from your account/.test(n.text)), 'the lost device is told');
  });

  test('a member lets her into the group again', async () => {
    await bo.goes(`/r/${club}/about`);
    await bo.page.getByText(say('knock.returns', { handle: ana.handle })).waitFor();
    await bo.press('knock.yes');
    await fresh.row('Club').waitFor();
    await fresh.opens('Club');
    await fresh.writes('here again');
    await bo.opens('Club');
    await bo.reads('here again');
  });
});
