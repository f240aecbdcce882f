// What strangers and members can send: scripts, markup, bidi tricks, giant messages, ten
// thousand combining marks, hostile names, titles and statuses, links that read like another
// address. It shows as text; nothing runs; every line stays in its place.

import { beforeAll, describe, expect, test } from 'vitest';
import type { Locator } from 'playwright-core';
import type { Person } from './person';
import { staged } from './stage';
import { until } from './until';
import { part } from './words';

const scripts = [
  '<script>globalThis.pwned = 1</script>',
  '<img src=x onerror="globalThis.pwned=1"><svg onload="globalThis.pwned=1"><iframe srcdoc="<script>parent.pwned=1</script>">',
  '[click](javascript:globalThis.pwned=1) [data](data:text/html,<script>globalThis.pwned=1</script>)',
  '![x](http://127.0.0.1:9/track.png) <http://127.0.0.1:9/x> <style>*{display:none}</style>',
  '{{constructor.constructor("globalThis.pwned=1")()}} ${globalThis.pwned=1} {@html "<b>x</b>"}',
  '<a href="https://evil.example" onclick="globalThis.pwned=1" style="position:fixed;inset:0">all of it</a>',
  '`<script>globalThis.pwned=1</script>`\n\n```html\n<script>globalThis.pwned=1</script>\n```',
  '&lt;script&gt;globalThis.pwned=1&lt;/script&gt; &#60;img src=x onerror=globalThis.pwned=1&#62;',
];

describe('hostile content', () => {
  const stage = staged();
  let ana: Person, mallory: Person;
  let room = '';

  beforeAll(async () => {
    const server = await stage.server();
    [ana, mallory] = await Promise.all([stage.person('ana', server), stage.person('mallory', server)]);
    await stage.meet(mallory, ana, 'only a friend');
    room = (await mallory.room('ana')).id;
    await ana.opens('mallory');
  });

  /** Nothing ran, nothing was fetched, and the frame stands where it stood. */
  async function unharmed(): Promise<void> {
    expect(await ana.page.evaluate(() => (globalThis as { pwned?: number }).pwned)).toBeUndefined();
    expect(await ana.page.locator('[role=log] :is(script, iframe, object, embed, img[src^=http], style, form, input, svg[onload])').count()).toBe(0);
    expect(await ana.page.locator('[role=log] [style]').count()).toBe(0);
    expect(await ana.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
    expect(await ana.composer.isVisible()).toBe(true);
    await ana.composer.click({ trial: true });
  }

  const box = async (l: Locator) => {
    const b = await l.boundingBox();
    if (!b) throw new Error('it is not there');
    return b;
  };

  test('scripts and markup show as text', async () => {
    for (const [i, s] of scripts.entries()) await mallory.sends(room, `${s} end${i}`);
    await ana.reads(`end${scripts.length - 1}`);
    for (const [i] of scripts.entries()) expect(await ana.message(`end${i}`).count()).toBeGreaterThan(0);
    expect(await ana.message('end0').innerText()).toContain('<script>');
    expect(await ana.message('end2').locator('a[href^=javascript], a[href^=data]').count()).toBe(0);
    await unharmed();
    expect(await ana.row('mallory').innerText()).not.toBe('');
  });

  test('a link that reads like another address is stopped on the way', async () => {
    await mallory.sends(room, '[example.org](https://examp1e.example/login) reads');
    await mallory.sends(room, '[https://bank.example](https://evil.example/bank.example) reads too');
    await mallory.sends(room, 'https://bank.example@evil.example/ at');
    await ana.reads('reads too');
    await ana.message('reads').first().waitFor();
    for (const text of ['example.org', 'https://bank.example']) {
      const a = ana.log.getByText(text, { exact: false }).last();
      await a.click();
      await ana.text('link.reads').waitFor();
      await ana.page.keyboard.press('Escape');
    }
    expect(ana.page.url()).toContain(ana.app.origin);
    for (const a of await ana.log.locator('a[href^=http]').all()) {
      expect(await a.getAttribute('rel')).toMatch(/noreferrer/);
      expect(await a.getAttribute('target')).toBe('_blank');
    }
    await unharmed();
  });

  test('bidi marks stay in their own message', async () => {
    await mallory.sends(room, '\u202Egpj.exe is turned and never closed \u2067 nor this bidi');
    await mallory.sends(room, 'plain after it');
    await ana.reads('plain after it');
    const meta = ana.log.locator('.meta').last();
    expect(await meta.innerText()).toMatch(/^\d?\d:\d\d/);
    // The words after it run from left to right: the first letter stands left of the last.
    const way = await ana.message('plain after it').evaluate((m) => {
      const w = document.createTreeWalker(m, NodeFilter.SHOW_TEXT);
      let node: Node | null;
      while ((node = w.nextNode()) && !node.textContent?.includes('plain')) { /* on */ }
      if (!node) return 0;
      const at = node.textContent?.indexOf('plain') ?? 0;
      const r = document.createRange();
      r.setStart(node, at);
      r.setEnd(node, at + 1);
      const first = r.getBoundingClientRect().left;
      r.setStart(node, at + 4);
      r.setEnd(node, at + 5);
      return r.getBoundingClientRect().left - first;
    });
    expect(way).toBeGreaterThan(0);
    await unharmed();
  });

  test('ten thousand combining marks are no taller than a line', async () => {
    await mallory.sends(room, `Z${'\u0301'.repeat(10_000)} zalgo`);
    await mallory.sends(room, `${'a\u0489\u0488\u20dd'.repeat(1_500)} more`);
    await ana.reads('zalgo');
    const m = ana.message('zalgo');
    const b = await box(m);
    const ink = await m.evaluate((e) => {
      const r = document.createRange();
      r.selectNodeContents(e);
      return r.getBoundingClientRect().height;
    });
    expect(b.height).toBeLessThan(120);
    expect(ink).toBeLessThan(200);
    // What is drawn stays in the bubble's box: it clips, or the marks were taken away.
    const marks = await m.evaluate((e) => Math.max(...(e.textContent ?? '').split(/\P{M}/u).map((x) => x.length)));
    const clips = await m.locator('.m').first().evaluate((e) => [e, ...e.querySelectorAll('*')].some((x) => /hidden|clip/.test(getComputedStyle(x).overflowY)));
    expect(marks <= 8 || clips).toBe(true);
    await unharmed();
  });

  test('giant messages fold, and the page answers at once', async () => {
    const giant = 'word '.repeat(11_000);
    const lines = Array.from({ length: 6_000 }, (_, i) => `line ${i}`).join('\n');
    const solid = 'W'.repeat(55_000);
    const nested = '>'.repeat(3_000) + ' deep ' + '*'.repeat(20_000) + '_'.repeat(10_000);
    const brackets = '['.repeat(15_000) + ']('.repeat(10_000) + '<a'.repeat(5_000);
    const list = Array.from({ length: 900 }, (_, i) => `${' '.repeat(Math.min(i, 40))}- item ${i}`).join('\n');
    for (const [i, x] of [giant, lines, solid, nested, brackets, list].entries()) await mallory.sends(room, `${x}`.slice(0, 58_000) + `\n\nthe end ${i}`);
    await ana.composer.click();
    await until(async () => (await ana.room('mallory')).last?.text !== 'plain after it', 'the giants');
    await ana.log.locator('[role=article]').last().waitFor();
    const begun = Date.now();
    await ana.composer.fill('still here');
    await ana.composer.fill('');
    expect(Date.now() - begun).toBeLessThan(5_000);
    for (const m of await ana.log.locator('[role=article] .m').all()) {
      const b = await m.boundingBox();
      if (b) expect(b.height).toBeLessThan(900);
      if (b) expect(b.x + b.width).toBeLessThanOrEqual(1280);
    }
    await unharmed();
  });

  test('hostile names, statuses and titles stay in their lines', async () => {
    const names = ['<b onclick=globalThis.pwned=1>Ana</b>', `A${'\u0301'.repeat(60)}`, '\u202Eana\u2066', 'W'.repeat(64), '\u200b\u200b\u200bx', '@everyone sotto'];
    const before = await box(ana.row(await title()).locator('.words'));
    for (const name of names) {
      try {
        await mallory.app.call('PATCH', '/me', { name, status: name.repeat(2).slice(0, 140) });
      } catch {
        continue; // it is not even taken
      }
      const last = await until(async () => (await ana.rooms()).find((r) => r.id === room || r.kind === 'pair')?.name, 'a name');
      await ana.list.locator('[data-room]').first().waitFor();
      const row = ana.list.locator('[data-room]').first();
      const b = await box(row);
      expect(b.height).toBeLessThan(80);
      expect((await box(row.locator('.words'))).width).toBeLessThanOrEqual(before.width + 1);
      const head = await box(ana.page.locator('main header').first());
      expect(head.height).toBeLessThan(90);
      expect(last.length).toBeLessThan(300);
      await unharmed();
    }
    const group = await mallory.app.call<{ id: string }>('POST', '/rooms', { title: '<img src=x onerror=globalThis.pwned=1>\u202E' + 'W'.repeat(20), with: [ana.handle] });
    await until(async () => (await ana.rooms()).some((r) => r.id === group.id), 'the hostile group');
    await until(async () => (await ana.list.locator('[data-room]').count()) >= 2, 'its row');
    await ana.list.locator('[data-room]').first().click();
    await ana.composer.waitFor();
    const head = await box(ana.page.locator('main header').first());
    expect(head.height).toBeLessThan(90);
    expect(await ana.page.title()).not.toMatch(/[\u202a-\u202e]/);
    await unharmed();
  });

  const title = async () => (await ana.rooms()).find((r) => r.kind === 'pair')?.name ?? '';

  test('hostile reactions and a stranger’s hostile letter', async () => {
    const eve = await stage.person('eve', { host: mallory.handle.split('@')[1] ?? '' } as never);
    await eve.sends(ana.handle, scripts.slice(0, 3).join('\n') + `Z${'\u0301'.repeat(100)}` + '\nvisit https://evil.example/x');
    await ana.page.locator('.ask').filter({ hasText: 'eve' }).click();
    await ana.page.getByText('visit https://evil.example/x').last().waitFor();
    // A stranger's links stay asleep.
    expect(await ana.page.locator('main a[href*="evil.example"]').count()).toBe(0);
    expect(await ana.page.evaluate(() => (globalThis as { pwned?: number }).pwned)).toBeUndefined();
    await ana.text('req.know.none').waitFor();
    const b = await box(ana.page.locator('main .text').first());
    expect(b.height).toBeLessThan(700);
    await ana.page.getByText(part('req.aside')).first().waitFor();
    const mine = await ana.app.call<{ id: string }>('POST', '/messages', { to: (await ana.rooms()).find((r) => r.kind === 'pair')?.id, text: 'react to this' });
    await until(() => mallory.app.call('GET', `/messages/${mine.id}`).catch(() => undefined), 'it at mallory');
    for (const emoji of ['<img src=x onerror=globalThis.pwned=1>', '\u202E', '🌿'.repeat(40), 'W'.repeat(400)]) {
      await mallory.app.call('PUT', `/messages/${mine.id}/reaction`, { emoji }).catch(() => undefined);
    }
    await ana.goes(`/r/${(await ana.rooms()).find((r) => r.kind === 'pair')?.id}`);
    await ana.reads('react to this');
    const m = await box(ana.message('react to this'));
    expect(m.height).toBeLessThan(160);
    await unharmed();
  });
});
