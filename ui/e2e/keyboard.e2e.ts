// A whole conversation with the keyboard alone: no pointer is used in this file.

import { beforeAll, describe, expect, test } from 'vitest';
import type { Person } from './person';
import { staged } from './stage';
import { until } from './until';
import { part, say } from './words';

describe('by keyboard', () => {
  const stage = staged();
  let ana: Person, bo: Person, cy: Person;
  const press = async (...keys: string[]) => {
    for (const k of keys) await ana.page.keyboard.press(k);
  };
  const type = (text: string) => ana.page.keyboard.type(text);
  const focused = () => ana.page.evaluate(() => {
    const e = document.activeElement as HTMLElement;
    return `${e.tagName} ${e.getAttribute('role') ?? ''} ${e.getAttribute('aria-label') ?? ''} ${e.textContent?.slice(0, 80) ?? ''}`;
  });
  const focus = async (what: RegExp) => {
    await until(async () => what.test(await focused()), `the focus on ${what}`).catch(async (err) => {
      throw new Error(`${String(err)}: it is on ${await focused()}`);
    });
  };

  beforeAll(async () => {
    const server = await stage.server();
    [ana, bo, cy] = await Promise.all([stage.person('ana', server), stage.person('bo', server), stage.person('cy', server)]);
    await stage.meet(cy, ana, 'hello from cy');
    await bo.sends(ana.handle, 'may I write to you?');
    await ana.page.locator('.ask').waitFor();
  });

  test('a request is found, read and accepted', async () => {
    for (let i = 0; i < 12 && !/may I|bo/.test(await focused()); i++) await press('Tab');
    await focus(/bo/);
    await press('Enter');
    await ana.button('req.accept').waitFor();
    for (let i = 0; i < 30 && !/Accept/.test(await focused()); i++) await press('Tab');
    await focus(/Accept/);
    await press('Enter');
    await ana.reads('may I write to you?');
    await bo.opens('ana');
  });

  test('one writes, with bold and a new line, and sends', async () => {
    await focus(/TEXTAREA/);
    await type('yes, ');
    await press('Control+b');
    await type('do');
    await press('End', 'Shift+Enter');
    await type('I am here');
    await press('Enter');
    await bo.reads('I am here');
    expect(await bo.message('I am here').locator('strong').innerText()).toBe('do');
  });

  test('the last message is edited with the arrow up', async () => {
    await press('ArrowUp');
    await until(async () => (await ana.composer.inputValue()).includes('I am here'), 'the text to edit');
    await press('Control+End');
    await type(' now');
    await press('Enter');
    await bo.reads('I am here now');
    await press('ArrowUp', 'Escape');
    await until(async () => (await ana.composer.inputValue()) === '', 'an empty field');
  });

  test('F6 goes around; arrows, Home and End move between messages', async () => {
    await bo.writes('first of two');
    await bo.writes('second of two');
    await ana.reads('second of two');
    await press('Shift+F6');
    await focus(/article .*second of two/);
    await press('ArrowUp');
    await focus(/article .*first of two/);
    await press('Home');
    await focus(/article .*may I write/);
    await press('End');
    await focus(/article .*second of two/);
  });

  test('reply, react, star, forward, who and delete by a single letter', async () => {
    await press('r');
    await focus(/TEXTAREA/);
    await type('to the second');
    await press('Enter');
    await bo.message('to the second').locator('.quote').filter({ hasText: 'second of two' }).waitFor();

    await press('Shift+F6', 'ArrowUp');
    await focus(/article .*second of two/);
    await press('e');
    await focus(/INPUT/);
    await type('heart');
    await press('ArrowDown', 'Enter');
    await bo.message(/^\s*second of two/).locator('.react').waitFor();
    await focus(/article .*second of two/);
    await press('s');
    await ana.meta(/^\s*second of two/).filter({ hasText: part('meta.starred') }).waitFor({ state: 'attached' });
    await focus(/article .*second of two/);
    await press('f');
    await ana.dialog('forward.title').waitFor();
    await type('cy');
    await press('Tab', ' ');
    for (let i = 0; i < 6 && !new RegExp('BUTTON .*Forward').test(await focused()); i++) await press('Tab');
    await press('Enter');
    await ana.hearsToast('forward.done', { n: 1 });
    await cy.row('ana').getByText('second of two').waitFor();

    await focus(/article .*second of two/);
    await press('End');
    await focus(/article .*to the second/);
    await press('w');
    await ana.heading('who.title').waitFor();
    await press('Escape');
    await ana.message('to the second').waitFor();
    await press('Escape');
    for (let i = 0; i < 4 && !/article .*to the second/.test(await focused()); i++) await press('F6');
    await press('Delete');
    await ana.page.getByRole('dialog').waitFor();
    await press('Enter');
    await bo.text('message.deleted', { name: 'ana' }).waitFor();
  });

  test('the menu of a message opens and is left by keyboard', async () => {
    for (let i = 0; i < 6 && !/article/.test(await focused()); i++) await press('F6');
    await press('ArrowUp', 'Enter');
    await focus(/menuitem/);
    await press('ArrowDown', 'ArrowDown', 'End', 'Home', 'Escape');
    await focus(/article/);
  });

  test('from conversation to conversation, to a new one, to anywhere', async () => {
    await press('Alt+ArrowDown');
    await ana.page.locator('main h1').filter({ hasText: 'cy' }).waitFor();
    await press('Alt+ArrowUp');
    await ana.page.locator('main h1').filter({ hasText: 'bo' }).waitFor();
    await cy.sends((await cy.room('ana')).id, 'unread');
    await ana.row('cy').locator('.count').waitFor();
    await press('Alt+Shift+ArrowDown');
    await ana.page.locator('main h1').filter({ hasText: 'cy' }).waitFor();
    await press('Alt+n');
    await ana.heading('new.title').waitFor();
    await press('Escape');
    await press('Control+k');
    await focus(/INPUT combobox/);
    await type('bo');
    await press('Enter');
    await ana.page.locator('main h1').filter({ hasText: 'bo' }).waitFor();
    await press('Control+f');
    await focus(/INPUT/);
    await type('second');
    await ana.page.locator('.find .count').filter({ hasText: /\d/ }).waitFor();
    await press('Escape');
    await focus(/TEXTAREA/);
  });

  test('the focus is always seen', async () => {
    const bad: string[] = [];
    for (const path of ['/', '/new', '/you/appearance', '/search', '/requests']) {
      await ana.goes(path);
      await ana.page.locator('main').waitFor();
      for (let i = 0; i < 25; i++) {
        await press('Tab');
        const seen = await ana.page.evaluate(() => {
          const e = document.activeElement as HTMLElement | null;
          if (!e || e === document.body) return 'body';
          // The ring is the element's own, or that of the sheet or card around it.
          for (let x: Element | null = e, n = 0; x && n < 4; x = x.parentElement, n++) {
            const s = getComputedStyle(x);
            // A link that covers its row has the ring around the row.
            for (const part of ['::before', '::after']) {
              const p = getComputedStyle(x, part);
              if (p.outlineStyle !== 'none' && Number.parseFloat(p.outlineWidth) >= 1.5) return '';
            }
            if (s.outlineStyle !== 'none' && Number.parseFloat(s.outlineWidth) >= 1.5) return '';
            if (s.boxShadow !== 'none' && x.matches(':focus-within') && n > 0) return '';
          }
          return `${location.pathname}: ${e.outerHTML.slice(0, 120)}`;
        });
        if (seen && seen !== 'body') bad.push(seen);
      }
    }
    expect([...new Set(bad)]).toEqual([]);
  });

  test('the list of keys is there for ?', async () => {
    await ana.goes('/');
    await press('Escape');
    for (let i = 0; i < 10 && /TEXTAREA|INPUT/.test(await focused()); i++) await press('F6');
    await press('?');
    await ana.dialog('shortcut.title').waitFor();
    await press('Escape');
    expect(await ana.page.getByRole('dialog', { name: say('shortcut.title') }).count()).toBe(0);
  });
});
