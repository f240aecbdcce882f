// "You": appearance, language, text size; notices of the browser with and without text,
// sounds; privacy switches and what they do; retention; storage; exports; the account's end.

import { beforeAll, describe, expect, test } from 'vitest';
import { de } from '../src/i18n/de';
import { es } from '../src/i18n/es';
import type { Person } from './person';
import type { Server } from './server';
import { staged } from './stage';
import { until } from './until';
import { unzip } from './unzip';
import { part, say } from './words';

describe('settings', () => {
  const stage = staged();
  let server: Server;
  let ana: Person, bo: Person;

  beforeAll(async () => {
    server = await stage.server();
    [ana, bo] = await Promise.all([stage.person('ana', server, { permissions: ['notifications'] }), stage.person('bo', server)]);
    await stage.meet(bo, ana, 'good morning');
  });

  test('light and dark, at once', async () => {
    const paper = () => ana.page.evaluate(() => getComputedStyle(document.querySelector('.side')!).backgroundColor);
    await ana.goes('/you/appearance');
    const light = await paper();
    await ana.radio('look.dark').check();
    await until(async () => (await paper()) !== light, 'darkness');
    await ana.radio('look.light').check();
    await until(async () => (await paper()) === light, 'light');
    await ana.radio('look.system').check();
    await ana.page.emulateMedia({ colorScheme: 'dark' });
    await until(async () => (await paper()) !== light, 'the system’s darkness');
    await ana.page.emulateMedia({ colorScheme: 'light' });
  });

  test('the whole interface in German and Spanish', async () => {
    await ana.select('look.language').selectOption('de');
    await ana.page.getByRole('heading', { name: de['you.appearance'], exact: true }).waitFor();
    expect(await ana.page.evaluate(() => document.documentElement.lang)).toBe('de');
    await ana.page.getByRole('combobox', { name: de['look.language'], exact: true }).selectOption('es');
    await ana.page.getByRole('heading', { name: es['you.appearance'], exact: true }).waitFor();
    await ana.page.getByRole('combobox', { name: es['look.language'], exact: true }).selectOption('');
    await ana.heading('you.appearance').waitFor();
  });

  test('text grows, and stays so in another window', async () => {
    const rem = () => ana.page.evaluate(() => Number.parseFloat(getComputedStyle(document.documentElement).fontSize));
    const before = await rem();
    await ana.select('look.size').selectOption({ label: '150%' });
    await until(async () => Math.abs((await rem()) - before * 1.5) < 0.5, 'larger text');
    await ana.page.reload();
    await ana.heading('you.appearance').waitFor();
    await until(async () => Math.abs((await rem()) - before * 1.5) < 0.5, 'larger text after a reload');
    await ana.select('look.size').selectOption({ label: '100%' });
  });

  test('the list of keys', async () => {
    await ana.goes('/');
    await ana.row('bo').waitFor();
    await ana.page.keyboard.press('?');
    await ana.dialog('shortcut.title').waitFor();
    await ana.page.keyboard.press('Escape');
    await ana.dialog('shortcut.title').waitFor({ state: 'detached' });
  });

  test('notices of the browser: with text, with the sender alone, with neither', async () => {
    // A page that has the focus shows none: another one is in front.
    await ana.page.evaluate(() => {
      const shown: { title: string; body: string }[] = [];
      Object.assign(globalThis, { shown });
      class Spy extends EventTarget {
        static permission = 'granted';
        static requestPermission = () => Promise.resolve('granted');
        onclick = null;
        onclose = null;
        constructor(title: string, o: { body?: string } = {}) {
          super();
          shown.push({ title, body: o.body ?? '' });
        }
        close() {}
      }
      Object.assign(globalThis, { Notification: Spy });
      document.hasFocus = () => false;
      dispatchEvent(new Event('blur'));
    });
    const shown = () => ana.page.evaluate(() => (globalThis as unknown as { shown: { title: string; body: string }[] }).shown);
    const to = (await bo.room('ana')).id;
    await ana.goes('/you/notices');
    for (const [how, title, body] of [['text', /bo/, /one two/], ['sender', /bo/, say('notify.plain')], ['plain', /^sotto$/, say('notify.plain')]] as const) {
      await ana.radio(`notices.${how}`).check();
      const n = (await shown()).length;
      await bo.sends(to, 'one two three');
      const last = await until(async () => (await shown())[n], `a notice with ${how}`);
      expect(last.title).toMatch(title);
      expect(last.body).toMatch(body);
    }
    await ana.radio('notices.off').check();
    const n = (await shown()).length;
    await bo.sends(to, 'silence');
    await until(async () => (await ana.room('bo')).last?.text === 'silence', 'the message');
    expect((await shown()).length).toBe(n);
    await ana.page.reload();
  });

  test('a sound for a message, never for one’s own', async () => {
    await ana.app.call('PATCH', '/settings', { sounds: true });
    await ana.page.evaluate(() => {
      Object.assign(globalThis, { tones: 0 });
      const start = OscillatorNode.prototype.start;
      OscillatorNode.prototype.start = function (...a) {
        (globalThis as unknown as { tones: number }).tones++;
        return start.apply(this, a);
      };
    });
    const tones = () => ana.page.evaluate(() => (globalThis as unknown as { tones: number }).tones);
    await bo.sends((await bo.room('ana')).id, 'ding');
    await until(async () => (await tones()) > 0, 'a tone');
    const n = await tones();
    await ana.sends(bo.handle, 'my own');
    await until(async () => (await bo.room('ana')).last?.text === 'my own', 'it at bo');
    expect(await tones()).toBe(n);
  });

  test('without receipts nobody learns that one has read', async () => {
    await ana.goes('/you/privacy');
    await ana.switch('privacy.receipts').click();
    await until(async () => !(await ana.app.call<{ receipts: boolean }>('GET', '/settings')).receipts, 'receipts that are off');
    await bo.opens('ana');
    await bo.writes('did you read this');
    await ana.opens('bo');
    await ana.reads('did you read this');
    await ana.writes('no receipts');
    await bo.reads('no receipts');
    await bo.state('did you read this', 'stored');
    await ana.app.call('PATCH', '/settings', { receipts: true });
  });

  test('without typing nobody learns that one writes', async () => {
    await ana.goes('/you/privacy');
    await ana.switch('privacy.typing').click();
    await until(async () => !(await ana.app.call<{ typing: boolean }>('GET', '/settings')).typing, 'typing that is off');
    await ana.opens('bo');
    await ana.composer.pressSequentially('secretly');
    await ana.writes('there');
    await bo.reads('there');
    expect(await bo.text('writing.one', { name: 'ana' }).count()).toBe(0);
  });

  test('storage is counted, and retention erases', async () => {
    await ana.goes('/you/storage');
    await ana.page.getByText(/on the disk/).waitFor();
    await ana.text('storage.rooms').waitFor();
    await ana.select('storage.keep').selectOption({ index: 2 });
    await ana.page.getByRole('dialog').getByRole('button', { name: say('word.cancel') }).click();
    expect((await ana.app.call<{ retention: number }>('GET', '/settings')).retention).toBe(0);
    await ana.select('storage.keep').selectOption({ index: 2 });
    await ana.page.getByRole('dialog').getByRole('button', { name: say('storage.keep.verb') }).click();
    await until(async () => (await ana.app.call<{ retention: number }>('GET', '/settings')).retention === 30, '30 days');
    await ana.app.call('PATCH', '/settings', { retention: 0 });
  });

  test('everything is exported, to read and for programs', async () => {
    for (const [row, name] of [['export.html', /\.html$/], ['export.json', /\.json$/]] as const) {
      const coming = ana.page.waitForEvent('download');
      await ana.page.getByRole('listitem').filter({ hasText: part(row) }).getByRole('link', { name: say('export.verb') }).first().click();
      const file = await (await coming).path();
      const files = unzip(file);
      expect([...files.keys()].some((f) => name.test(f))).toBe(true);
      const all = [...files.values()].join('\n');
      expect(all).toContain('good morning');
      expect(all).toContain('did you read this');
      expect(all).not.toMatch(/<script/i);
    }
  });

  test('the home server is shown, and one can be started and stopped', async () => {
    await ana.goes('/you/server');
    await ana.page.getByText(server.host).first().waitFor();
    await ana.text('server.up').waitFor();
  });

  test('the account is deleted everywhere', async () => {
    const gus = await stage.person('gus', server);
    await stage.meet(bo, gus, 'are you here');
    await gus.goes('/you/account');
    await gus.press('account.end.open');
    const dialog = gus.dialog('account.end.title');
    expect(await dialog.getByRole('button', { name: say('account.end.verb') }).isDisabled()).toBe(true);
    await dialog.getByRole('textbox').fill(gus.handle);
    await dialog.getByRole('button', { name: say('account.end.verb') }).click();
    await gus.heading('first.welcome').waitFor();
    await until(async () => {
      try {
        await bo.app.call('POST', '/people/find', { handle: gus.handle });
        return false;
      } catch {
        return true;
      }
    }, 'a server that does not know gus');
  });

  test('sotto is ended from its window', async () => {
    const eve = await stage.person('eve', server);
    eve.watch.expected.push(/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE|ERR_EMPTY|ERR_CONNECTION_RESET/);
    await eve.goes('/you/account');
    await eve.press('account.quit.verb');
    await eve.app.ended();
    await eve.text('link.away').waitFor();
  });
});
