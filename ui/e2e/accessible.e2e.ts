// axe finds nothing on any screen, in both colour schemes, wide and narrow.

import { beforeAll, describe, expect, test } from 'vitest';
import { findings } from './axe';
import { calling } from './chromium';
import { scene, screens, show, type Scene } from './scene';
import { staged } from './stage';

describe('axe finds nothing', () => {
  const stage = staged(...calling);
  let s: Scene;
  beforeAll(async () => {
    s = await scene(stage);
    s.bo.watch.expected.push(/status of 4\d\d/);
  });

  for (const theme of ['light', 'dark'] as const) {
    for (const [size, width] of [['wide', 1280], ['narrow', 360]] as const) {
      test(`${theme}, ${size}`, async () => {
        await s.bo.page.emulateMedia({ colorScheme: theme });
        await s.bo.page.setViewportSize({ width, height: 800 });
        const all: string[] = [];
        for (const screen of screens(s)) {
          try {
            await show(s.bo, screen);
          } catch (err) {
            all.push(`${screen.name}: ${String(err).slice(0, 200)}`);
            continue;
          }
          all.push(...(await findings(s.bo.page, `${screen.name} ${theme} ${size}`)));
        }
        expect(all).toEqual([]);
      }, 600_000);
    }
  }

  test('before there is an account, and where the door is closed', async () => {
    const all: string[] = [];
    const eve = stage.newcomer('eve');
    await eve.comes();
    const ida = stage.newcomer('ida');
    await ida.registers(`ida@${s.server.host}`);
    await ida.app.start();
    await ida.app.call('PUT', '/custody', { custody: 'passphrase', new: 'herring under the thyme' });
    await ida.app.call('POST', '/lock');
    await ida.comes();
    for (const theme of ['light', 'dark'] as const) {
      for (const p of [eve, ida]) await p.page.emulateMedia({ colorScheme: theme });
      await eve.heading('first.welcome').waitFor();
      for (const way of ['first.link', 'first.server', 'first.start'] as const) {
        await eve.radio(way).check();
        all.push(...(await findings(eve.page, `first run, ${way}, ${theme}`)));
      }
      await ida.heading('locked.title').waitFor();
      all.push(...(await findings(ida.page, `locked, ${theme}`)));
    }
    expect(all).toEqual([]);
  });
});
