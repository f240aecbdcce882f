// A backup, as somebody makes it who then loses the machine: once at the home server, once as a
// file.

import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Backups, Recovery } from '../src/api/types';
import type { Person } from './person';
import type { Server } from './server';
import { staged } from './stage';
import { until } from './until';
import { say } from './words';

describe('what was said is kept', () => {
  const stage = staged();
  let ana: Person, bo: Person, fresh: Person, third: Person;
  let server: Server;
  let words: string[] = [];
  let file = '';

  beforeAll(async () => {
    server = await stage.server();
    [ana, bo] = await Promise.all([stage.person('ana', server), stage.person('bo', server)]);
    await stage.meet(ana, bo, 'before it was lost');
    await ana.opens('bo');
    await ana.writes('the key is under the mat');
    fresh = stage.newcomer('ana-new');
    third = stage.newcomer('ana-third');
    await Promise.all([fresh.comes(), third.comes()]);
  });

  test('the words come first', async () => {
    await ana.goes('/you/devices');
    await ana.page.getByText(say('backup.none')).waitFor();
    await ana.press('backup.set');
    await ana.dialog('backup.dialog').getByText(say('backup.words.first')).waitFor();
    await ana.dialog('backup.dialog').getByRole('button', { name: say('word.cancel') }).click();
    await ana.press('words.write');
    await ana.dialog('words.write.title').getByRole('button', { name: say('words.show') }).click();
    const shown = ana.dialog('words.title').getByRole('listitem');
    await shown.first().waitFor();
    words = (await shown.allInnerTexts()).map((x) => x.replace(/[^a-z]/g, ''));
    await ana.dialog('words.title').getByRole('button', { name: say('words.written') }).click();
    const ask = ana.dialog('words.ask');
    for (const place of (await ana.app.call<Recovery>('GET', '/recovery')).places ?? []) await ask.getByLabel(say('words.place', { n: place })).fill(words[place - 1] ?? '');
    await ask.getByRole('button', { name: say('words.confirm') }).click();
    await ana.hearsToast('words.done');
    await until(async () => (await ana.app.call<Recovery>('GET', '/recovery')).record, 'the record is at the home server');
  });

  test('the first backup is made at the home server, and one as a file', async () => {
    await ana.press('backup.set');
    const dialog = ana.dialog('backup.dialog');
    await dialog.getByRole('radio', { name: say('backup.where.server'), exact: true }).check();
    await dialog.getByRole('button', { name: say('backup.go') }).click();
    await ana.hearsToast('backup.made');
    const now = await ana.app.call<Backups>('GET', '/backups');
    expect([now.server, now.schedule, (now.messages ?? 0) > 1]).toEqual([true, 'daily', true]);
    await ana.button('backup.change').waitFor();
    const download = ana.page.waitForEvent('download');
    await ana.page.getByRole('link', { name: say('backup.file.save') }).click();
    const saved = await download;
    file = await saved.path();
  });

  async function recovers(p: Person, from: () => Promise<void>): Promise<void> {
    p.watch.expected.push(/404/); // the old conversation is shown in the new one from some moment on
    await p.press('first.words');
    await p.field('linking.handle').fill(ana.handle);
    await p.field('words.title').fill(words.join(' '));
    await from();
    await p.press('first.words.go');
    await until(async () => {
      const b = await p.app.call<Backups>('GET', '/backups').catch(() => undefined);
      return b?.restore?.done ? b : undefined;
    }, 'it is restored');
    // The old conversation gives way to the new one, also after it was opened.
    await until(async () => {
      if ((await p.app.call<Recovery>('GET', '/recovery')).back || (await p.row('bo').count()) !== 1) return false;
      await p.opens('bo').catch(() => undefined);
      return (await p.row('bo').count()) === 1 && (await p.message('the key is under the mat').count()) > 0 && (await p.rooms()).filter((r) => r.name === 'bo' && r.state === 'active').length === 1;
    }, 'one conversation with Bo');
    await p.reads('before it was lost');
    await p.reads('the key is under the mat');
  }

  test('a new machine has it back from the server, with a handle and the words', async () => {
    bo.watch.expected.push(/404/);
    await recovers(fresh, async () => undefined);
    await fresh.goes('/search?q=mat');
    await fresh.page.getByText('the key is under the mat').first().waitFor();
    await fresh.opens('bo');
    await fresh.writes('I am back');
    await bo.opens('ana');
    await bo.reads('I am back');
  });

  test('and another one out of the file', async () => {
    await recovers(third, async () => {
      await third.page.getByRole('radio', { name: say('first.backup.file') }).check();
      await third.page.locator('input[type=file]').setInputFiles({ name: 'mine.sotto-backup', mimeType: 'application/octet-stream', buffer: readFileSync(file) });
    });
  });

  test('the file again changes nothing, and a wrong one says so', async () => {
    await third.goes('/you/devices');
    await third.press('backup.restore.file');
    const dialog = third.dialog('backup.restore.title');
    third.watch.expected.push(/409/);
    await dialog.locator('input[type=file]').setInputFiles({ name: 'letter.sotto-backup', mimeType: 'text/plain', buffer: Buffer.from('Dear Bo, this is a letter.') });
    await dialog.getByText(/no backup of sotto/).waitFor();
    await dialog.locator('input[type=file]').setInputFiles({ name: 'mine.sotto-backup', mimeType: 'application/octet-stream', buffer: readFileSync(file) });
    await dialog.getByLabel(say('words.title')).fill(words.join(' '));
    await dialog.getByRole('button', { name: say('backup.restore') }).click();
    await dialog.waitFor({ state: 'hidden' });
    const n = await until(async () => {
      const r = (await third.app.call<Backups>('GET', '/backups')).restore;
      return r?.done ? r.progress.done : undefined;
    }, 'it is restored again');
    await third.page.getByText(say('backup.restored', { n })).first().waitFor();
    await third.opens('bo');
    expect(await third.page.getByText('the key is under the mat').count()).toBeGreaterThan(0);
  });
});
