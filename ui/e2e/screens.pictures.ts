// Pictures of every screen, light and dark, wide and 360, into docs/screens. Accounts and
// conversations are real; the address of the server that stands on a free port of this
// computer is shown as example.org, and the time of each message is the time of the picture.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Person } from './person';
import { calling } from './chromium';
import { scene, screens, show, type Scene } from './scene';
import { staged } from './stage';

const out = resolve(import.meta.dirname, '../../docs/screens');
const only = process.env.SCREENS?.split(',');
const sizes = [['', 1280, 896], ['360-', 360, 740]] as const;

/** named shows the server's address as people's servers are called. */
async function named(page: Page, host: string): Promise<void> {
  await page.evaluate((host) => {
    const short = (s: string) => s.replaceAll(encodeURIComponent(host), 'example.org').replaceAll(host, 'example.org').replaceAll('http://example.org', 'https://example.org');
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) if (walk.currentNode.nodeValue?.includes(host)) walk.currentNode.nodeValue = short(walk.currentNode.nodeValue);
    for (const e of document.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>('input, textarea')) if (e.value.includes(host)) e.value = short(e.value);
  }, host);
}

async function picture(p: Person, name: string, host: string): Promise<void> {
  if (only && !only.some((x) => name.startsWith(x))) return;
  await named(p.page, host);
  await p.page.mouse.move(0, 0);
  await p.page.screenshot({ path: join(out, `${name}.png`), animations: 'disabled', caret: 'hide' });
}

describe('pictures', () => {
  const stage = staged(...calling);
  let s: Scene;
  beforeAll(async () => {
    if (!only) rmSync(out, { recursive: true, force: true });
    mkdirSync(out, { recursive: true });
    s = await scene(stage, { reducedMotion: 'reduce' });
    s.bo.watch.expected.push(/status of 4\d\d/);
  });

  test('of every screen', async () => {
    for (const theme of ['light', 'dark'] as const) {
      for (const [size, width, height] of sizes) {
        await s.bo.page.emulateMedia({ colorScheme: theme });
        await s.bo.page.setViewportSize({ width, height });
        for (const screen of screens(s)) {
          const name = `${screen.name}-${size}${theme}`;
          if (only && !only.some((x) => name.startsWith(x))) continue;
          await show(s.bo, screen);
          if (screen.name === 'conversation') {
            await s.ana.composer.pressSequentially('mm ');
            await s.bo.page.locator('.writing svg').waitFor({ timeout: 8_000 }).catch(() => {});
          }
          await picture(s.bo, name, s.server.host);
        }
      }
    }
  });

  test('of the first run and the closed door', async () => {
    const eve = stage.newcomer('eve');
    await eve.app.start();
    const { url } = await s.ana.app.call<{ url: string }>('POST', '/me/links', { hours: 720 });
    await eve.look(await eve.app.opening(url), { reducedMotion: 'reduce' });
    const ida = stage.newcomer('ida');
    await ida.registers(`ida@${s.server.host}`);
    await ida.app.start();
    await ida.app.call('PUT', '/custody', { custody: 'passphrase', new: 'herring under the thyme' });
    await ida.app.call('POST', '/lock');
    await ida.comes({ reducedMotion: 'reduce' });
    const fred = stage.newcomer('fred');
    await fred.comes({ reducedMotion: 'reduce' });
    await eve.field('first.name').fill('Bo Lindqvist');
    await eve.page.locator('.hint.good').first().waitFor();
    for (const theme of ['light', 'dark'] as const) {
      for (const [size, width, height] of sizes) {
        for (const p of [eve, ida, fred]) {
          await p.page.emulateMedia({ colorScheme: theme });
          await p.page.setViewportSize({ width, height });
        }
        await picture(eve, `first-run-${size}${theme}`, s.server.host);
        await fred.radio('first.start').check();
        await picture(fred, `first-run-server-${size}${theme}`, s.server.host);
        await picture(ida, `locked-${size}${theme}`, s.server.host);
      }
    }
  });

  test('together they are small', () => {
    const files = readdirSync(out).filter((f) => f.endsWith('.png')).map((f) => join(out, f));
    execFileSync('pngquant', ['--force', '--skip-if-larger', '--ext', '.png', '--quality', '70-95', '--speed', '3', '--strip', '--', ...files], { stdio: 'inherit' });
    const size = files.reduce((n, f) => n + statSync(f).size, 0);
    console.log(`${files.length} pictures, ${(size / 1e6).toFixed(1)} MB`);
    expect(size).toBeLessThan(6_000_000); // pictures of calls are pictures
  });
});
