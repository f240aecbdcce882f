// A second device, as a new user links it; the first one is lost, and taken out.

import { beforeAll, describe, expect, test } from 'vitest';
import type { OwnDevice } from '../src/api/types';
import type { Person } from './person';
import type { Server } from './server';
import { staged } from './stage';
import { until } from './until';
import { part, say } from './words';

describe('a second device', () => {
  const stage = staged();
  let ana: Person, bo: Person, phone: Person;
  let server: Server;

  beforeAll(async () => {
    server = await stage.server();
    [ana, bo] = await Promise.all([stage.person('ana', server), stage.person('bo', server)]);
    await stage.meet(ana, bo, 'before the phone');
    phone = stage.newcomer('ana-phone');
    await phone.comes();
  });

  /** code asks for a code on Ana's first device and reads it from the screen. */
  async function code(): Promise<string> {
    await ana.goes('/you/devices');
    await ana.press('devices.link');
    await ana.dialog('devices.link').getByRole('button', { name: say('linking.show') }).click();
    const digits = ana.dialog('linking.code.title').locator('.digits');
    await digits.waitFor();
    await ana.dialog('linking.code.title').getByRole('img', { name: say('linking.qr') }).waitFor();
    return (await digits.innerText()).replace(/\D/g, '');
  }

  test('a wrong code links nothing, and both are told', async () => {
    phone.watch.expected.push(/409/);
    const right = await code();
    await phone.press('first.device');
    await phone.field('linking.handle').fill(ana.handle);
    await phone.field('linking.code').fill(right === '12345678' ? '87654321' : '1234 5678');
    await phone.press('linking.go');
    await phone.page.locator('.banner, [class*=danger]').filter({ hasText: /code/i }).first().waitFor();
    await ana.dialog('linking.failed').waitFor();
    await ana.page.keyboard.press('Escape');
  });

  test('it is linked by the code and two words, and both read and write', async () => {
    await phone.field('linking.code').fill(await code());
    await phone.field('devices.name').fill('Phone');
    await phone.press('linking.go');
    const compare = ana.dialog('linking.compare');
    await compare.locator('.words').waitFor();
    await phone.page.locator('.words').waitFor();
    expect(await compare.locator('.words').innerText()).toBe(await phone.page.locator('.words').innerText());
    await compare.getByRole('button', { name: say('linking.match') }).click();
    await ana.hearsToast('linking.done');
    await phone.row('bo').waitFor();
    await phone.knows();
    expect(phone.account).toBe(ana.account);
    await phone.opens('bo');
    await phone.reads('before the phone'); // the history has come
    await phone.writes('from the phone');
    await bo.opens('ana');
    await bo.reads('from the phone');
    await ana.opens('bo');
    await ana.reads('from the phone');
    await bo.writes('to both');
    await ana.reads('to both');
    await phone.reads('to both');
  });

  test('what is decided on one device holds on the other: a star, a mute, a draft, a verified mark', async () => {
    await ana.does('to both', 'menu.star');
    await phone.meta('to both').filter({ hasText: part('meta.starred') }).waitFor({ state: 'attached' });
    await phone.row('bo').click({ button: 'right' });
    await phone.chooses('list.mute.ever');
    await ana.row('bo').getByText(say('list.muted')).waitFor({ state: 'attached' });
    await ana.composer.fill('Dear Bo, begun at the desk');
    await until(async () => (await phone.composer.inputValue()) === 'Dear Bo, begun at the desk', 'the draft on the phone');
    await phone.composer.press('Enter');
    await bo.reads('Dear Bo, begun at the desk');
    await until(async () => (await ana.composer.inputValue()) === '', 'no draft is left');
    await ana.goes(`/people/${bo.account}/compare`);
    await ana.press('compare.yes');
    await ana.text('compare.match').waitFor();
    await phone.row('bo').getByText(part('sign.compared.once')).first().waitFor({ state: 'attached' });
    expect(await phone.page.locator('[data-room]').count()).toBe(1); // what carries all that is not shown
  });

  test('the list of devices: names, and the first one is taken out by the second', async () => {
    await phone.goes('/you/devices');
    const rows = phone.page.getByRole('list', { name: say('devices.yours') }).getByRole('listitem');
    await until(async () => (await rows.count()) === 2, 'two devices');
    const first = (await ana.app.call<OwnDevice[]>('GET', '/devices')).find((d) => d.self)?.name ?? '';
    await phone.button('devices.rename.of', { name: first }).click();
    await phone.field('devices.name').fill('Desk');
    await phone.dialog('devices.rename.title').getByRole('button', { name: say('devices.rename') }).click();
    await phone.button('devices.unlink.of', { name: 'Desk' }).waitFor();
    await phone.button('devices.unlink.of', { name: 'Desk' }).click();
    await phone.dialog('devices.unlink.title', { name: 'Desk' }).getByRole('button', { name: say('devices.unlink') }).click();
    await until(async () => (await rows.count()) === 1, 'one device');
    await bo.opens('ana');
    await bo.writes('after the desk was lost');
    await phone.opens('bo');
    await phone.reads('after the desk was lost');
    await until(async () => (await ana.app.call<{ text: string }[]>('GET', '/notices')).some((n) => /was unlinked from your account/.test(n.text)), 'the lost device is told');
    expect(await ana.log.getByText('after the desk was lost').count()).toBe(0);
  });
});
