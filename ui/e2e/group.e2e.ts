// A group's whole life: made, people invited, renamed, a picture, roles, mentions, a link
// with approval and one without, a link that is ended, people removed, left, deleted.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Link, RoomDetail } from '../src/api/types';
import type { Person } from './person';
import { picture } from './picture';
import type { Server } from './server';
import { staged } from './stage';
import { until } from './until';
import { exactly, part, say } from './words';

describe('a group', () => {
  const stage = staged();
  let server: Server;
  let ana: Person, bo: Person, cy: Person, dee: Person;
  let id = '';

  beforeAll(async () => {
    server = await stage.server();
    [ana, bo, cy, dee] = await Promise.all([stage.person('ana', server), stage.person('bo', server), stage.person('cy', server), stage.person('dee', server)]);
    await stage.meet(ana, bo);
    await stage.meet(ana, cy);
  });

  const about = () => ana.app.call<RoomDetail>('GET', `/rooms/${id}`);

  test('is made with people one knows and by a handle', async () => {
    await ana.goes('/new/group');
    await ana.field('group.name').fill('Team');
    const pick = ana.page.getByRole('group', { name: say('group.with') });
    await pick.locator('label').filter({ hasText: bo.handle }).click();
    await pick.getByRole('textbox').fill(cy.handle);
    await ana.page.keyboard.press('Enter');
    await ana.press('group.make');
    await ana.page.locator('main h1').filter({ hasText: 'Team' }).waitFor();
    id = (await ana.room('Team')).id;
    await ana.writes('welcome');
    await bo.opens('Team');
    await bo.reads('welcome');
    await cy.opens('Team');
    await cy.reads('welcome');
    await bo.writes('thanks');
    await ana.reads('thanks');
    await cy.log.locator('.from').filter({ hasText: 'bo' }).waitFor();
  });

  test('somebody is named, and sees that they are', async () => {
    await cy.goes('/you/appearance');
    await ana.composer.pressSequentially('ask @c');
    await ana.page.getByRole('option').filter({ hasText: 'cy' }).waitFor();
    await ana.composer.press('Enter');
    await ana.composer.pressSequentially('about it');
    await ana.composer.press('Enter');
    await bo.message('about it').waitFor();
    expect(await bo.message('about it').innerText()).toMatch(/ask\s+@?cy\s+about it/);
    await cy.goes('/');
    await cy.row('Team').locator('.count').filter({ hasText: '@' }).waitFor();
    await cy.opens('Team');
  });

  test('is renamed, for everybody', async () => {
    await ana.goes(`/r/${id}/about`);
    await ana.press('about.rename');
    await ana.dialog('about.rename.title').getByLabel(say('group.name')).fill('Crew');
    await ana.dialog('about.rename.title').getByRole('button', { name: say('word.save') }).click();
    await bo.row('Crew').waitFor();
    await cy.page.locator('main h1').filter({ hasText: 'Crew' }).waitFor();
    await bo.log.locator('.aside').filter({ hasText: 'Crew' }).waitFor();
  });

  test('gets a picture', async () => {
    const file = join(stage.dir('pictures'), 'boat.png');
    writeFileSync(file, picture(200, 120));
    const row = ana.page.locator('input[type=file]').first();
    await row.setInputFiles(file);
    await ana.dialog('picture.crop').getByRole('button', { name: say('picture.take') }).click();
    await until(async () => (await bo.room('Crew')).picture, 'a picture at bo');
    const seen = bo.row('Crew').locator('img');
    await seen.waitFor();
    await until(() => seen.evaluate((i: HTMLImageElement) => i.complete && i.naturalWidth > 0), 'a picture that loads');
  });

  test('somebody is made an admin, and acts as one', async () => {
    const member = ana.page.getByRole('button', { name: say('members.menu', { name: 'bo' }) });
    await member.click();
    await ana.chooses('members.admin');
    await until(async () => (await bo.room('Crew')).admin, 'bo as an admin');
    await bo.goes(`/r/${id}/about`);
    await bo.press('about.rename');
    await bo.dialog('about.rename.title').getByLabel(say('group.name')).fill('The crew');
    await bo.dialog('about.rename.title').getByRole('button', { name: say('word.save') }).click();
    await ana.row('The crew').waitFor();
    // And a member again.
    await member.click();
    await ana.chooses('members.unadmin');
    await until(async () => !(await bo.room('The crew')).admin, 'bo as a member');
    await bo.pressable('about.rename').waitFor({ state: 'detached' });
  });

  test('a link with approval: a newcomer knocks and is let in', async () => {
    await ana.press('links.new');
    const dialog = ana.page.getByRole('dialog');
    await dialog.getByRole('button', { name: say('link.make') }).click();
    const url = await until(async () => (await about()).links[0]?.url, 'a link');
    expect(await ana.page.getByLabel(say('link.label')).first().inputValue()).toBe(url);
    await ana.page.getByRole('img', { name: say('link.qr') }).waitFor();
    await dee.goes('/new');
    await dee.field('new.who').fill(url);
    await dee.press('new.find');
    await dee.text('join.room', { title: 'The crew' }).waitFor();
    await dee.press('join.knock');
    await dee.text('join.waiting.text').waitFor();
    await ana.press('knock.yes');
    await dee.row('The crew').waitFor();
    await dee.opens('The crew');
    await bo.goes(`/r/${id}`);
    await bo.writes('hello dee');
    await dee.reads('hello dee');
    expect(await dee.log.getByText('welcome').count()).toBe(0); // nothing from before
  });

  test('a link that is ended lets nobody in', async () => {
    const link = await ana.app.call<Link>('POST', `/rooms/${id}/links`, { hours: 1 });
    await ana.goes('/');
    await ana.goes(`/r/${id}/about`);
    await ana.pressable('links.end').first().waitFor();
    while ((await about()).links.length) {
      await ana.pressable('links.end').first().click();
      await ana.dialog('links.end.title').getByRole('button', { name: say('links.end.verb') }).click();
      await ana.dialog('links.end.title').waitFor({ state: 'detached' });
    }
    const gus = await stage.person('gus', server);
    gus.watch.expected.push(/status of 4\d\d/);
    await gus.goes(`/join?link=${encodeURIComponent(link.url)}`);
    await gus.page.locator('main').getByText(part('join.room')).or(gus.page.locator('main [role=alert], main .banner')).first().waitFor();
    if (await gus.pressable('join.enter').isVisible()) await gus.press('join.enter');
    expect((await about()).people.some((p) => p.handle === gus.handle)).toBe(false);
  });

  test('somebody is removed, keeps what they have, and reads nothing new', async () => {
    await ana.page.getByRole('button', { name: say('members.menu', { name: 'cy' }) }).click();
    await ana.chooses('members.remove');
    await ana.page.getByRole('dialog').getByRole('button', { name: say('members.remove') }).click();
    await cy.text('over.removed').waitFor();
    await cy.reads('welcome');
    await bo.writes('without cy');
    await dee.reads('without cy');
    expect(await cy.log.getByText('without cy').count()).toBe(0);
    await bo.log.locator('.aside').filter({ hasText: 'removed cy' }).waitFor();
    await bo.app.call('PATCH', '/settings', { language: 'de' }); // what happened is said in the language of the moment
    await bo.log.locator('.aside').filter({ hasText: /hat cy.* entfernt\.$/ }).waitFor();
    await bo.log.locator('.aside').filter({ hasText: /hat diese Unterhaltung „Crew“ genannt\.$/ }).waitFor();
    await bo.app.call('PATCH', '/settings', { language: '' });
    await bo.log.locator('.aside').filter({ hasText: 'removed cy' }).waitFor();
  });

  test('people are added later', async () => {
    const eve = await stage.person('eve', server);
    await ana.press('members.add');
    const dialog = ana.page.getByRole('dialog');
    await dialog.getByRole('textbox').fill(eve.handle);
    await ana.page.keyboard.press('Enter');
    await dialog.getByRole('button', { name: say('members.add.verb') }).last().click();
    await eve.page.locator('.ask').waitFor();
    await eve.page.locator('.ask').click();
    await eve.press('req.join');
    await eve.page.locator('main h1').filter({ hasText: 'The crew' }).waitFor();
    await ana.goes(`/r/${id}`);
    await ana.writes('hello eve');
    await eve.reads('hello eve');
  });

  test('the last admin leaves, and the longest member becomes one', async () => {
    await ana.goes(`/r/${id}/about`);
    await ana.press('end.leave');
    await ana.text('end.leave.last').waitFor();
    await ana.page.getByRole('dialog').getByRole('button', { name: say('end.leave.verb') }).click();
    await until(async () => (await bo.room('The crew')).admin, 'bo as the new admin');
    await ana.row('The crew').getByText(say('list.left')).waitFor();
  });

  test('is cleared and deleted from this device', async () => {
    ana.watch.expected.push(/status of 404/); // it is asked for while it goes
    await ana.goes(`/r/${id}/about`);
    await ana.press('end.delete');
    await ana.page.getByRole('dialog').getByRole('button', { name: say('end.delete.verb') }).click();
    await ana.row('The crew').waitFor({ state: 'detached' });
    expect((await ana.rooms()).some((r) => r.id === id)).toBe(false);
    await bo.goes(`/r/${id}/about`);
    await bo.press('end.clear');
    await bo.page.getByRole('dialog').getByRole('button', { name: say('end.clear.verb') }).click();
    await bo.hearsToast('end.clear.done');
    await bo.goes(`/r/${id}`);
    await bo.log.waitFor();
    expect(await bo.log.getByText('without cy').count()).toBe(0);
    expect(await dee.message('without cy').count()).toBe(1);
    await dee.page.locator('main header').getByText(exactly('The crew')).waitFor();
  });
});
