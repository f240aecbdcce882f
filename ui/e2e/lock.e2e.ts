// Locking: with a passphrase from the first run, now, by itself, the wrong passphrase, and
// what is in the page while it is locked: nothing.

import { beforeAll, describe, expect, test } from 'vitest';
import type { Person } from './person';
import type { Server } from './server';
import { staged } from './stage';
import { until } from './until';
import { say } from './words';

const words = 'herring under the thyme';

describe('locking', () => {
  const stage = staged();
  let server: Server;
  let ana: Person, bo: Person;

  beforeAll(async () => {
    server = await stage.server();
    bo = await stage.person('bo', server);
    ana = stage.newcomer('ana');
    ana.watch.expected.push(/status of 4(01|03|23|29)/);
  });

  test('a passphrase is set in the first run', async () => {
    await ana.comes();
    await ana.radio('first.server').check();
    await ana.field('first.server.label').fill(server.host);
    await ana.field('first.name').fill('ana');
    await ana.text('first.free', { handle: `ana@${server.host}` }).waitFor();
    await ana.field('pass.optional').fill('short');
    await ana.page.locator('.hint.error').first().waitFor();
    expect(await ana.button('first.begin').isDisabled()).toBe(true);
    await ana.field('pass.optional').fill(words);
    await ana.press('first.begin');
    await ana.text('list.empty').waitFor();
    await ana.knows();
    await stage.meet(bo, ana, 'a secret of bo’s');
    await ana.opens('bo');
    await ana.reads('a secret of bo’s');
  });

  test('locked now: nothing of what is behind is in the page', async () => {
    await ana.goes('/you/privacy');
    await ana.press('lock.now.verb');
    await ana.heading('locked.title').waitFor();
    const page = await ana.page.content();
    expect(page).not.toContain('secret of bo');
    expect(page).not.toMatch(/\bbo\b/);
    expect(await ana.page.title()).toBe('sotto');
  });

  test('the wrong passphrase opens nothing, the right one does, and what came is there', async () => {
    await bo.sends((await bo.room('ana')).id, 'while it was locked');
    await ana.field('locked.passphrase').fill('herring over the thyme');
    await ana.press('locked.open');
    await ana.page.locator('.hint.error').waitFor();
    await ana.field('locked.passphrase').fill(words);
    await ana.press('locked.open');
    await ana.heading('you.privacy').waitFor(); // where one was
    await ana.goes('/');
    await ana.row('bo').getByText('while it was locked').waitFor();
  });

  test('it is locked when the app starts anew, until the passphrase is typed', async () => {
    ana.watch.expected.push(/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE|ERR_EMPTY|ERR_CONNECTION_RESET/);
    await ana.leaves();
    await ana.app.stop();
    await ana.comes();
    await ana.heading('locked.title').waitFor();
    await ana.field('locked.passphrase').fill(words);
    await ana.page.keyboard.press('Enter');
    await ana.opens('bo');
    await ana.reads('while it was locked');
  });

  test('the passphrase is changed; the old one opens nothing', async () => {
    await ana.goes('/you/privacy');
    await ana.press('lock.change');
    const dialog = ana.page.getByRole('dialog');
    await dialog.getByLabel(say('lock.old')).fill(words);
    await dialog.getByLabel(say('lock.new')).fill(words + ' again');
    await dialog.getByRole('button', { name: say('word.save') }).click();
    await ana.hearsToast('word.saved');
    await ana.press('lock.now.verb');
    await ana.heading('locked.title').waitFor();
    await ana.field('locked.passphrase').fill(words);
    await ana.press('locked.open');
    await ana.page.locator('.hint.error').waitFor();
    await ana.field('locked.passphrase').fill(words + ' again');
    await ana.press('locked.open');
    await ana.heading('you.privacy').waitFor();
    await ana.goes('/');
    await ana.row('bo').waitFor();
  });

  test('it locks by itself after a time without use; reading is use', async () => {
    await ana.app.call('PATCH', '/settings', { lock_after: 1 });
    for (let i = 0; i < 18; i++) {
      await ana.page.mouse.wheel(0, i % 2 ? 50 : -50);
      await ana.page.waitForTimeout(5_000);
    }
    expect((await ana.app.call<{ phase: string }>('GET', '/state')).phase).toBe('open');
    await until(async () => (await ana.app.call<{ phase: string }>('GET', '/state')).phase === 'locked', 'a lock after a minute', 180_000);
    await ana.heading('locked.title').waitFor();
  }, 330_000);
});
