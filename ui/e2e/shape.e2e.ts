// The shapes of the window: 360 pixels, middle, wide; right to left; reduced motion; text at
// 200 %. Nothing is cut off, nothing stands outside, nothing scrolls sideways.

import { beforeAll, describe, expect, test } from 'vitest';
import type { Person } from './person';
import { calling } from './chromium';
import { scene, screens, show, type Scene } from './scene';
import { staged } from './stage';

/** overflows are elements that stand outside the window, and panes that scroll sideways. */
export async function overflows(p: Person, where: string): Promise<string[]> {
  const found = await p.page.evaluate(() => {
    const out: string[] = [];
    const wide = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth > wide) out.push(`the page is ${document.documentElement.scrollWidth} wide`);
    for (const e of document.querySelectorAll<HTMLElement>('body *')) {
      const s = getComputedStyle(e);
      if (s.visibility === 'hidden' || s.position === 'fixed' && s.opacity === '0') continue;
      const r = e.getBoundingClientRect();
      if (!r.width || !r.height || r.width <= 1 || r.height <= 1) continue;
      let hidden = false; // by a parent that cuts or scrolls, which is meant
      for (let x = e.parentElement; x; x = x.parentElement) {
        const o = getComputedStyle(x);
        if (x.scrollWidth > x.clientWidth + 1 && /auto|scroll/.test(o.overflowX) && !x.matches('pre, .table, code')) {
          const pane = x.getBoundingClientRect();
          if (!e.firstElementChild && (r.right > pane.right + 1 || r.left < pane.left - 1)) out.push(`${x.tagName.toLowerCase()}.${x.className} scrolls sideways for ${e.parentElement?.tagName}.${e.parentElement?.className} ${e.outerHTML.slice(0, 60)}`);
          hidden = true;
          break;
        }
        if (/hidden|clip|auto|scroll/.test(o.overflowX)) { hidden = true; break; }
      }
      if (!hidden && (r.right > wide + 1 || r.left < -1)) out.push(`${e.tagName.toLowerCase()}.${e.className} stands from ${Math.round(r.left)} to ${Math.round(r.right)}`);
      // A control whose words do not fit into it.
      if (e.matches('button, a.btn, .chip, label') && e.scrollWidth > e.clientWidth + 2 && s.overflowX !== 'visible' && s.textOverflow !== 'ellipsis') out.push(`${e.tagName.toLowerCase()}.${e.className} cuts ${e.textContent?.trim().slice(0, 30)}`);
    }
    return [...new Set(out)].slice(0, 5);
  });
  return found.map((f) => `${where}: ${f}`);
}

describe('the window', () => {
  const stage = staged(...calling);
  let s: Scene;
  beforeAll(async () => {
    s = await scene(stage);
    s.bo.watch.expected.push(/status of 4\d\d/);
  });

  const all = async (what: string, names?: string[], query = '') => {
    const out: string[] = [];
    for (const screen of screens(s)) {
      if (names && !names.includes(screen.name)) continue;
      await show(s.bo, { ...screen, path: screen.path + (query && (screen.path.includes('?') ? '&' : '?') + query) });
      out.push(...(await overflows(s.bo, `${screen.name}, ${what}`)));
    }
    return out;
  };

  for (const width of [360, 768, 1280, 1600]) {
    test(`at ${width}`, async () => {
      await s.bo.page.setViewportSize({ width, height: 740 });
      expect(await all(String(width))).toEqual([]);
    }, 400_000);
  }

  const some = ['list', 'conversation', 'group', 'about-group', 'person', 'who-message', 'request', 'new', 'search', 'you-privacy', 'you-appearance', 'you-storage', 'ring', 'call', 'call-devices', 'calls', 'you-calls'];

  test('with text at 200 %', async () => {
    await s.bo.app.call('PATCH', '/settings', { text_size: 200 });
    const out: string[] = [];
    for (const width of [360, 1280]) {
      await s.bo.page.setViewportSize({ width, height: 740 });
      out.push(...(await all(`200 % at ${width}`, some)));
    }
    await s.bo.app.call('PATCH', '/settings', { text_size: 100 });
    expect(out).toEqual([]);
  }, 400_000);

  test('from right to left: mirrored, and nothing outside', async () => {
    await s.bo.page.setViewportSize({ width: 1280, height: 740 });
    expect(await all('right to left', some, 'dir=rtl')).toEqual([]);
    await show(s.bo, { name: '', path: `/r/${s.rooms.ana.id}?dir=rtl` });
    await s.bo.message('thyme').waitFor();
    expect(await s.bo.page.evaluate(() => document.documentElement.dir)).toBe('rtl');
    const side = await s.bo.list.boundingBox();
    expect(side && side.x > 600).toBe(true);
    const [own, theirs] = [await s.bo.message('thyme').boundingBox(), await s.bo.message('squeaks').boundingBox()];
    expect(own && theirs && own.x < theirs.x).toBe(true);
    await s.bo.page.setViewportSize({ width: 360, height: 740 });
    expect(await all('right to left at 360', some, 'dir=rtl')).toEqual([]);
  }, 400_000);

  test('reduced motion: nothing moves; else two loops at most, which stop when hidden', async () => {
    await s.bo.page.setViewportSize({ width: 1280, height: 740 });
    await show(s.bo, { name: '', path: `/r/${s.rooms.ana.id}` });
    await s.bo.message('On the train').waitFor();
    await s.ana.composer.pressSequentially('writing');
    await s.bo.page.locator('.writing svg').waitFor();
    const running = () => s.bo.page.evaluate(() => document.getAnimations().filter((a) => a.playState === 'running').length);
    await s.bo.page.emulateMedia({ reducedMotion: 'reduce' });
    expect(await running()).toBe(0);
    await s.bo.page.emulateMedia({ reducedMotion: 'no-preference' });
    await s.ana.composer.pressSequentially(' on');
    await s.bo.page.locator('.writing svg').waitFor();
    expect(await running()).toBeLessThanOrEqual(2);
    await s.bo.page.evaluate(() => document.documentElement.toggleAttribute('data-hidden', true));
    expect(await running()).toBe(0);
    await s.ana.composer.fill('');
  });

  test('forced colours and more contrast keep borders and focus', async () => {
    await s.bo.page.emulateMedia({ forcedColors: 'active' });
    await show(s.bo, { name: '', path: `/r/${s.rooms.ana.id}` });
    await s.bo.message('On the train').waitFor();
    const borders = await s.bo.page.evaluate(() => [...document.querySelectorAll('[role=article] .m')].filter((m) => getComputedStyle(m).borderTopStyle === 'none').length);
    expect(borders).toBe(0);
    await s.bo.page.emulateMedia({ forcedColors: 'none' });
  });
});
