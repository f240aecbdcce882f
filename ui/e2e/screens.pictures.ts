// The pictures of every screen in docs/screens: make screens. Each by day and by lamplight,
// wide and at 360 pixels.

import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, test } from 'vitest';
import type { Person } from './person';
import { scene, screens, settled, show } from './scene';
import { staged } from './stage';

const dir = resolve(import.meta.dirname, '../../docs/screens');
const wide = { width: 1280, height: 896 };
const narrow = { width: 360, height: 740 };
// The narrow ones are of what looks another way there.
const alsoNarrow = ['list', 'conversation', 'group', 'request', 'who-message', 'about-group', 'person', 'you', 'new', 'search'];

async function picture(p: Person, name: string): Promise<void> {
  await p.page.screenshot({ path: join(dir, `${name}.png`), animations: 'disabled', caret: 'hide' });
}

describe('pictures', () => {
  const stage = staged();

  test('of the first run', async () => {
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(dir, { recursive: true });
    const p = stage.newcomer('newcomer');
    await p.comes({ viewport: wide });
    for (const scheme of ['light', 'dark'] as const) {
      await p.page.emulateMedia({ colorScheme: scheme });
      await settled(p);
      await picture(p, `first-run-${scheme}`);
    }
  });

  test('of everything else', async () => {
    const s = await scene(stage, { viewport: wide });
    s.bo.watch.expected.push(/status of 4\d\d/);
    for (const scheme of ['light', 'dark'] as const) {
      await s.bo.page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      for (const screen of screens(s)) {
        await s.bo.page.setViewportSize(wide);
        await show(s.bo, screen);
        await picture(s.bo, `${screen.name}-${scheme}`);
        if (scheme === 'dark' || !alsoNarrow.includes(screen.name)) continue;
        await s.bo.page.setViewportSize(narrow);
        await show(s.bo, screen);
        await picture(s.bo, `${screen.name}-360`);
      }
    }
  }, 900_000);
});
