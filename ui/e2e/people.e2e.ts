// People: found by handle, by link and by QR code; requests from strangers: accepted, put
// off, blocked, reported; profile, picture, status; nicknames; numbers compared; what changed
// and when; Who can see this? for a message, a room and a person.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Link, PersonDetail, QR, Request } from '../src/api/types';
import type { Person } from './person';
import { picture } from './picture';
import { qrPicture } from './qr';
import type { Server } from './server';
import { staged } from './stage';
import { until } from './until';
import { part, say } from './words';

describe('people', () => {
  const stage = staged();
  let server: Server;
  let ana: Person, bo: Person, cy: Person;

  beforeAll(async () => {
    server = await stage.server();
    [ana, bo, cy] = await Promise.all([stage.person('ana', server), stage.person('bo', server), stage.person('cy', server)]);
  });

  test('somebody is found by their handle and written to', async () => {
    ana.watch.expected.push(/status of 4\d\d/);
    await ana.goes('/new');
    await ana.field('new.who').fill(`nobody@${server.host}`);
    await ana.press('new.find');
    await ana.page.locator('.hint.error').waitFor();
    await ana.field('new.who').fill(bo.handle);
    await ana.press('new.find');
    await ana.heading('new.found').waitFor();
    await ana.page.locator('main').getByRole('link', { name: /^\W*bo\W*$/ }).first().click();
    await ana.text('to.first', { name: 'bo' }).waitFor();
    await ana.writes('do you know me?');
    await ana.page.locator('main h1').filter({ hasText: 'bo' }).waitFor();
    await ana.message('do you know me?').waitFor();
  });

  test('a stranger’s request: the letter, put off, then accepted', async () => {
    await bo.page.locator('.ask').filter({ hasText: 'ana' }).click();
    await bo.page.getByText('do you know me?').last().waitFor();
    await bo.text('req.know.none').waitFor();
    await bo.press('req.not-now');
    await bo.hearsToast('req.put-off');
    await bo.page.locator('.ask').waitFor({ state: 'detached' });
    await bo.goes('/requests');
    if (!(await bo.pressable('req.accept').isVisible())) await bo.page.locator('main').getByRole('link').filter({ hasText: 'ana' }).click();
    await bo.press('req.accept');
    await bo.reads('do you know me?');
    await bo.writes('now I do');
    await ana.reads('now I do');
  });

  test('a stranger is blocked: nothing more comes, and they are not told', async () => {
    await cy.sends(bo.handle, 'buy my pills');
    await bo.page.locator('.ask').filter({ hasText: 'cy' }).click();
    await bo.press('req.block');
    await bo.page.getByRole('dialog').getByRole('button', { name: say('req.block') }).click();
    await bo.hearsToast('req.blocked', { name: 'cy' });
    await bo.page.locator('.ask').waitFor({ state: 'detached' });
    await bo.goes('/you/people');
    await bo.heading('people.blocked').waitFor();
    await bo.press('person.unblock');
    await bo.hearsToast('people.unblocked', { name: 'cy' });
  });

  test('reporting: what it can and cannot do, and a text to hand on', async () => {
    const dee = await stage.person('dee', server);
    await dee.sends(bo.handle, 'something ugly');
    await bo.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await until(async () => (await bo.app.call<Request[]>('GET', '/requests')).some((r) => r.account === dee.account), 'a request of dee');
    await bo.goes(`/requests/${dee.account}`);
    await bo.press('req.report');
    await bo.text('report.can', { host: server.host }).waitFor();
    await bo.text('report.no-sender').waitFor();
    await bo.press('report.make');
    const text = bo.page.getByLabel(say('report.text'));
    await until(async () => (await text.inputValue()).includes(dee.handle), 'who it is about in the report');
    await bo.page.getByRole('dialog').getByRole('button', { name: say('word.copy') }).click();
    await bo.hearsToast('report.copied', { host: server.host });
    expect(await bo.page.evaluate(() => navigator.clipboard.readText())).toContain('something ugly');
  });

  test('a profile: name, status and picture reach who one writes with', async () => {
    await bo.goes('/you/profile');
    await bo.field('profile.name').fill('Bo Lindqvist');
    await bo.field('profile.status').fill('mends cellos');
    await bo.press('word.save');
    const file = join(stage.dir('pictures'), 'bo.png');
    writeFileSync(file, picture(300, 300));
    await bo.page.locator('input[type=file]').first().setInputFiles(file);
    await bo.dialog('picture.crop').getByRole('button', { name: say('picture.take') }).click();
    await ana.row('Bo Lindqvist').waitFor();
    await ana.goes(`/people/${bo.account}`);
    await ana.page.getByText('mends cellos').first().waitFor();
    await until(async () => (await ana.app.call<PersonDetail>('GET', `/people/${bo.account}`)).picture, 'a picture of bo');
    await ana.page.locator('main img').first().waitFor();
    // What was shown first is no change; what comes after it is one, with its time.
    await bo.field('profile.status').fill('mends cellos and basses');
    await bo.press('word.save');
    await ana.text('change.status', { text: 'mends cellos and basses' }).waitFor();
    await ana.text('change.met').waitFor();
  });

  test('a name that only oneself sees', async () => {
    await ana.press('person.nickname.give');
    await ana.dialog('person.nickname.title', { name: 'Bo Lindqvist' }).getByRole('textbox').fill('Cello man');
    await ana.page.getByRole('dialog').getByRole('button', { name: say('word.save') }).click();
    await ana.row('Cello man').waitFor();
    await ana.press('word.change');
    await ana.page.getByRole('dialog').getByRole('textbox').fill('');
    await ana.page.getByRole('dialog').getByRole('button', { name: say('word.save') }).click();
    await ana.row('Bo Lindqvist').waitFor();
  });

  test('numbers are the same on both sides; compared by hand and by QR code', async () => {
    const mine = await ana.app.call<PersonDetail>('GET', `/people/${bo.account}`);
    const theirs = await bo.app.call<PersonDetail>('GET', `/people/${ana.account}`);
    expect(mine.number.replace(/\D/g, '')).toBe(theirs.number.replace(/\D/g, ''));
    await ana.goes(`/people/${bo.account}/compare`);
    await ana.press('compare.scan');
    const code = join(stage.dir('pictures'), 'code.png');
    writeFileSync(code, qrPicture(theirs.qr));
    await ana.page.getByRole('dialog').locator('input[type=file]').setInputFiles(code);
    await ana.text('compare.scan.match').waitFor();
    await ana.press('compare.yes');
    await ana.text('compare.match').waitFor();
    await ana.goes('/');
    await ana.row('Bo Lindqvist').getByText(part('sign.compared.once')).first().waitFor({ state: 'attached' });
    await bo.goes(`/people/${ana.account}/compare`);
    await bo.press('compare.no');
    await bo.text('compare.differ', { name: 'ana' }).waitFor();
  });

  test('one’s own link, as QR code, scanned by somebody', async () => {
    await ana.goes('/new');
    await ana.press('link.make');
    await ana.page.getByRole('img', { name: say('link.qr') }).waitFor();
    const url = await ana.page.getByLabel(say('link.label')).inputValue();
    const rows = (await ana.app.call<QR>('GET', `/qr?text=${encodeURIComponent(url.trim())}`)).rows;
    const code = join(stage.dir('pictures'), 'link.png');
    writeFileSync(code, qrPicture(rows));
    await cy.goes('/new');
    await cy.press('new.scan');
    await cy.page.getByRole('dialog').locator('input[type=file]').setInputFiles(code);
    await cy.text('join.person').waitFor();
    await cy.press('join.write');
    await cy.writes('by your link');
    await until(async () => (await ana.app.call<Request[]>('GET', '/requests')).some((r) => r.account === cy.account), 'a request of cy');
    await ana.page.locator('.ask').first().waitFor();
  });

  test('an invitation link is a page in any browser, which runs nothing of others', async () => {
    const link = await ana.app.call<Link>('POST', '/me/links', { hours: 1 });
    const context = await stage.browser.newContext();
    const page = await context.newPage();
    const asked: string[] = [];
    page.on('request', (r) => asked.push(r.url()));
    const wrong: string[] = [];
    page.on('console', (m) => m.type() === 'error' && wrong.push(m.text()));
    await page.goto(link.url);
    await page.getByText(/ana/i).first().waitFor();
    expect(asked.filter((u) => new URL(u).host !== server.host)).toEqual([]);
    expect(asked.some((u) => u.includes('#'))).toBe(false);
    expect(wrong).toEqual([]);
    await context.close();
  });

  test('who can see this: a message, a room, a person', async () => {
    await ana.opens('Bo Lindqvist');
    await ana.writes('under the thyme');
    await ana.state('under the thyme', 'delivered', 'read');
    await ana.does('under the thyme', 'who');
    await ana.heading('who.title').waitFor();
    await ana.page.locator('blockquote').getByText('under the thyme').waitFor();
    await ana.heading('who.limits').waitFor();
    await ana.heading('who.until').waitFor();
    await ana.press('who.ask');
    await ana.page.getByRole('dialog').getByText(part('who.ask.text', { host: server.host })).waitFor();
    await ana.page.keyboard.press('Escape');
    await ana.page.getByRole('dialog').waitFor({ state: 'detached' });
    await ana.goes(`/who/person/${bo.account}`);
    await ana.heading('who.limits').waitFor();
    await ana.opens('Bo Lindqvist');
    await ana.page.locator('main header').getByRole('link', { name: say('who') }).click();
    await ana.heading('who.holders').waitFor();
    await ana.heading('who.limits').waitFor();
  });
});
