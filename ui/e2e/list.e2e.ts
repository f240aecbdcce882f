// The list of conversations and search: pin, mute, archive, mark as unread, unread counts,
// the title's badge, Ctrl K, search by text, person, room, date and star; notes to self.

import { beforeAll, describe, expect, test } from 'vitest';
import type { Person } from './person';
import { staged } from './stage';
import { until } from './until';
import { part, say } from './words';

describe('the list', () => {
  const stage = staged();
  let ana: Person, bo: Person, cy: Person;

  beforeAll(async () => {
    const server = await stage.server();
    [ana, bo, cy] = await Promise.all([stage.person('ana', server), stage.person('bo', server), stage.person('cy', server)]);
    await stage.meet(bo, ana, 'the ladder is in the shed');
    await stage.meet(cy, ana, 'the ferry goes at ten');
    await ana.row('bo').waitFor();
    await ana.row('cy').waitFor();
  });

  const menu = async (name: string, key: Parameters<Person['chooses']>[0], values = {}) => {
    await ana.row(name).click({ button: 'right' });
    await ana.chooses(key, values);
  };

  test('counts what is unread, and says so in the title', async () => {
    expect(await ana.row('bo').locator('.count').innerText()).toContain('1');
    await until(async () => (await ana.page.title()).startsWith('(2) '), 'two in the title');
    await ana.opens('bo');
    await ana.row('bo').locator('.count').waitFor({ state: 'detached' });
    await until(async () => (await ana.page.title()).startsWith('(1) '), 'one in the title');
  });

  test('pins, and unpins', async () => {
    await menu('cy', 'list.pin');
    await ana.list.getByRole('heading', { name: say('list.pinned') }).waitFor();
    expect(await ana.list.locator('[data-room] .name bdi').allInnerTexts()).toEqual(['cy', 'bo']);
    await bo.sends((await bo.room('ana')).id, 'newer');
    await ana.row('bo').getByText('newer').waitFor();
    expect(await ana.list.locator('[data-room] .name bdi').allInnerTexts()).toEqual(['cy', 'bo']);
    await menu('cy', 'list.unpin');
    await until(async () => (await ana.list.locator('[data-room] .name bdi').allInnerTexts())[0] === 'bo', 'bo at the top');
  });

  test('mutes: the count is grey, and the title is silent', async () => {
    await menu('cy', 'list.mute.ever');
    await ana.row('cy').getByText(say('list.muted')).waitFor({ state: 'attached' });
    await cy.sends((await cy.room('ana')).id, 'and at noon');
    await ana.row('cy').locator('.count.quiet').waitFor();
    expect(await ana.page.title()).not.toMatch(/^\(/);
    await menu('cy', 'list.unmute');
    await until(async () => (await ana.page.title()).startsWith('('), 'a count in the title again');
  });

  test('marks as read and as unread', async () => {
    await menu('cy', 'list.read');
    await ana.row('cy').locator('.count').waitFor({ state: 'detached' });
    await menu('cy', 'list.unread');
    await ana.row('cy').locator('.count').waitFor();
    await ana.opens('cy');
    await ana.row('cy').locator('.count').waitFor({ state: 'detached' });
    await ana.opens('bo');
  });

  test('archives, undoes it, and a new message brings it back', async () => {
    await menu('cy', 'list.archive');
    await ana.row('cy').waitFor({ state: 'detached' });
    await ana.page.locator('.toast').getByRole('button', { name: say('undo') }).click();
    await ana.row('cy').waitFor();
    await menu('cy', 'list.archive');
    await ana.row('cy').waitFor({ state: 'detached' });
    await ana.goes('/archive');
    await ana.page.locator('main').getByText('cy').first().waitFor();
    await cy.sends((await cy.room('ana')).id, 'still there?');
    await ana.row('cy').waitFor();
  });

  test('Ctrl K goes anywhere', async () => {
    await ana.page.keyboard.press('Control+k');
    const field = ana.page.getByRole('combobox', { name: say('app.search') });
    await field.fill('cy');
    await ana.page.getByRole('option').first().waitFor();
    await ana.page.keyboard.press('Enter');
    await ana.page.locator('main h1').filter({ hasText: 'cy' }).waitFor();
    await ana.page.keyboard.press('Control+k');
    await field.fill('appear');
    await ana.page.getByRole('option').filter({ hasText: part('you.appearance') }).click();
    await ana.heading('you.appearance').waitFor();
    await ana.page.keyboard.press('Control+k');
    await field.fill('ladder');
    await ana.page.getByRole('option').filter({ hasText: 'the ladder is in the shed' }).click();
    await ana.log.locator('[role=article].lit').filter({ hasText: 'the ladder' }).waitFor();
  });

  test('search over everything: by text, person, room, star and date', async () => {
    const hits = ana.page.getByRole('list', { name: say('search.hits') }).getByRole('listitem');
    await ana.goes('/search');
    await ana.page.getByRole('main').getByRole('searchbox').fill('the');
    await until(async () => (await hits.count()) >= 2, 'two hits');
    expect(await hits.locator('mark').first().innerText()).toMatch(/the/i);
    await ana.button('search.from.any').click();
    await ana.page.getByRole('dialog').getByText('cy', { exact: true }).first().click();
    await hits.filter({ hasText: 'ladder' }).waitFor({ state: 'detached' });
    await hits.filter({ hasText: 'ferry' }).waitFor();
    await ana.button('search.drop', { what: 'cy' }).click();
    await ana.button('search.in.any').click();
    await ana.page.getByRole('dialog').getByText('bo', { exact: true }).first().click();
    await hits.filter({ hasText: 'ladder' }).waitFor();
    await until(async () => !(await hits.filter({ hasText: 'ferry' }).count()), 'nothing from elsewhere');
    await ana.button('search.when.any').click();
    await ana.page.getByRole('dialog').getByText(part('search.span.week')).click();
    await ana.press('search.span.verb');
    await hits.filter({ hasText: 'ladder' }).waitFor();
    await ana.button('search.starred').click();
    await ana.text('search.none').waitFor();
    await ana.goes('/search?q=nobodysaidthis');
    await ana.text('search.none').waitFor();
  });

  test('notes to oneself', async () => {
    await ana.goes('/new');
    await ana.press('new.notes.go');
    await ana.composer.waitFor();
    await ana.writes('boiler: press twice');
    await ana.state('boiler', 'stored', 'read');
    expect((await ana.rooms()).filter((r) => r.kind === 'self')).toHaveLength(1);
  });
});
