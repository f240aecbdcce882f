// Two people call each other: Chromium on both sides.

import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Room } from '../src/api/types';
import { call, frames, live, louder, play, type Caller } from './callplay';
import { calling, chromiumSeat, sitsInChromium } from './chromium';
import type { Person } from './person';
import { media, shows, stands, type Seat } from './seat';
import { staged } from './stage';
import { until } from './until';
import { part, say } from './words';

describe('two people in Chromium', () => {
  const stage = staged(...calling);
  let ana: Person, bo: Person;
  let a: Seat, b: Seat;
  let of: { ana: Caller; bo: Caller };
  let room: Room;

  beforeAll(async () => {
    const server = await stage.server();
    [ana, bo] = [stage.newcomer('ana'), stage.newcomer('bo')];
    await Promise.all([ana.registers(`ana@${server.host}`), bo.registers(`bo@${server.host}`)]);
    await Promise.all([ana.app.start(), bo.app.start()]);
    await stage.meet(ana, bo);
    room = await ana.room('bo');
    [a, b] = await Promise.all([sitsInChromium(ana), sitsInChromium(bo)]);
    of = { ana: { name: 'ana', app: ana.app, seat: a }, bo: { name: 'bo', app: bo.app, seat: b } };
    await ana.opens('bo');
  });

  afterEach(async () => {
    for (const p of [ana, bo]) for (const c of await live(p)) await p.app.call('POST', `/calls/${c.id}/end`, { end: 'hung_up' }).catch(() => undefined);
    await until(async () => !(await live(ana)).length && !(await live(bo)).length, 'no call');
    for (const p of [ana, bo]) {
      const close = p.page.locator('.outcome').getByRole('button').last();
      if (await close.isVisible()) await close.click();
      await p.page.locator('main.call').waitFor({ state: 'detached' });
    }
  });

  test('with video: pictures and sound both ways, words, mute, camera, screen, hold, hang up', () => play(of.ana, of.bo));

  test('sound only; one leaves the stage and comes back', async () => {
    await call(of.ana, of.bo, false);
    await Promise.all([louder(a), louder(b)]);
    expect(await stands(a, '[data-picture]')).toBe(false);
    await a.key('Escape');
    await until(() => stands(a, '.floating'), 'a small call');
    await ana.writes('meanwhile');
    await louder(b);
    await a.press('call.back');
    await until(() => stands(a, 'main.call'), 'the stage');
    await b.press('call.hangup');
    await until(async () => !(await stands(a, 'main.call')), 'the end');
  });

  test('declined with a few words, which arrive as a message', async () => {
    await a.press('head.call', { name: 'bo' });
    await b.press('ring.words');
    await bo.page.getByRole('alertdialog').getByRole('textbox').fill('In the train, later.');
    await b.press('ring.words.send');
    await until(() => shows(a, part('call.end.declined', { name: 'bo' })), 'the answer');
    await ana.page.locator('.outcome').getByRole('button').last().click();
    await ana.reads('In the train, later.');
  });

  test('silenced, then hung up: a missed call, with the way to call back', async () => {
    await bo.opens('ana');
    await a.press('head.call', { name: 'bo' });
    await bo.page.getByRole('alertdialog').waitFor();
    await b.key('Escape');
    await bo.page.getByRole('alertdialog').waitFor({ state: 'detached' });
    expect((await live(bo))[0]?.stage).toBe('ringing');
    await bo.text('call.silenced', { name: 'ana' }).waitFor();
    await a.press('call.hangup');
    const back = bo.log.getByRole('button', { name: part('call.callback') }).last();
    await back.waitFor();
    await bo.goes('/calls');
    await bo.page.locator('li.missed').first().waitFor();
    await bo.goes(`/r/${room.id}`);
    await bo.log.getByRole('button', { name: part('call.callback') }).last().click();
    await ana.page.getByRole('alertdialog', { name: 'bo' }).waitFor();
    await a.press('ring.decline');
    await until(() => shows(b, part('call.end.declined', { name: 'ana' })), 'the answer');
  });

  test('two windows: both ring, one takes the call, the other says so', async () => {
    const page = await bo.another();
    const second = chromiumSeat(page);
    await a.press('head.call', { name: 'bo' });
    await Promise.all([bo.page.getByRole('alertdialog').waitFor(), page.getByRole('alertdialog').waitFor()]);
    await second.press('ring.answer');
    await page.locator('main.call[data-link=open]').waitFor();
    await bo.page.getByRole('alertdialog').waitFor({ state: 'detached' });
    await bo.text('call.otherWindow', { name: 'ana' }).waitFor();
    // The window goes, and the call with it.
    await page.close();
    await until(async () => !(await stands(a, 'main.call')), 'the end');
  });

  test('always through a relay, where one side wants that: it carries sound and pictures', async () => {
    await bo.app.call('PATCH', '/settings', { calls_relay: true });
    await call(of.ana, of.bo, true);
    await Promise.all([frames(a, 0), frames(b, 0), louder(a), louder(b)]);
    expect([(await media(a)).path, (await media(b)).path]).toEqual(['relayed', 'relayed']);
    await Promise.all([a, b].map((s) => until(() => shows(s, part('call.relayed')), 'the word of a relay')));
    await b.press('call.quality');
    await bo.page.locator('.quality').getByText(say('call.path.relayed')).waitFor();
    await a.press('call.hangup');
    await bo.app.call('PATCH', '/settings', { calls_relay: false });
  });

  test('a test call goes through the relay of the home server and back', async () => {
    await bo.goes('/you/calls');
    await b.press('you.calls.test.begin');
    await bo.page.locator('[data-way=relayed]').waitFor();
    await bo.page.locator('[data-way] meter').waitFor();
    await until(() => b.run(() => (document.querySelector<HTMLMeterElement>('[data-way] meter')?.value ?? 0) > 0.1), 'a level');
    await b.press('you.calls.test.end');
    await bo.page.locator('[data-way]').waitFor({ state: 'detached' });
    await bo.opens('ana');
  });

  test('by keyboard alone: call, answer, mute, move oneself, devices, leave and come back, hang up', async () => {
    await bo.page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    await ana.composer.focus();
    await a.key('Alt+Shift+C');
    await bo.page.getByRole('alertdialog').waitFor();
    expect(await b.run(() => document.activeElement?.textContent)).toMatch(say('ring.answer'));
    await b.key('Enter');
    await bo.page.locator('main.call[data-link=open]').waitFor();
    const focused = () => b.run(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '');
    const reach = async (what: RegExp) => {
      for (let i = 0; i < 12 && !what.test(await focused()); i++) await b.key('Tab');
      expect(await focused()).toMatch(what);
    };
    await reach(say('call.words.match'));
    await reach(say('call.mute'));
    await b.key('Enter');
    await until(() => shows(a, part('call.theirs.muted', { name: 'bo' })), 'that bo is mute');
    await reach(say('call.self.move'));
    const place = () => bo.page.locator('.self').boundingBox();
    const before = await place();
    for (const k of ['ArrowLeft', 'ArrowUp', 'ArrowUp']) await b.key(k);
    const now = await place();
    expect([now?.x, now?.y]).toEqual([(before?.x ?? 0) - 24, (before?.y ?? 0) - 48]);
    await b.key('Shift+Tab'); // Hang up
    await b.key('Shift+Tab');
    expect(await focused()).toMatch(say('call.more'));
    await b.key('Enter');
    await b.key('Enter'); // the first of the menu
    await bo.page.getByRole('dialog', { name: say('call.devices') }).waitFor();
    await b.key('Escape');
    await bo.page.getByRole('dialog', { name: say('call.devices') }).waitFor({ state: 'detached' });
    await b.key('Escape');
    await bo.page.locator('.floating').waitFor();
    await b.key('Alt+c');
    await bo.page.locator('main.call').waitFor();
    await reach(say('call.hangup'));
    await b.key('Enter');
    await until(async () => !(await stands(a, 'main.call')), 'the end');
  });

  test('nobody is asked for camera or microphone before they press something', async () => {
    await ana.page.evaluate(() => {
      const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      Object.assign(globalThis, { asked: 0 });
      navigator.mediaDevices.getUserMedia = (c) => {
        (globalThis as unknown as { asked: number }).asked++;
        return real(c);
      };
    });
    const asked = () => a.run(() => (globalThis as unknown as { asked: number }).asked);
    await bo.app.call('GET', '/state');
    await bo.opens('ana');
    await b.press('head.video', { name: 'ana' });
    await ana.page.getByRole('alertdialog').waitFor();
    expect(await asked()).toBe(0);
    await a.press('ring.sound');
    await ana.page.locator('main.call[data-link=open]').waitFor();
    expect(await asked()).toBe(1);
    await a.press('call.hangup');
  });

  test('who writes while it rings answers nothing by the keys that they press', async () => {
    await bo.opens('ana');
    await bo.composer.focus();
    await a.press('head.call', { name: 'bo' });
    await bo.page.getByRole('alertdialog').waitFor();
    await bo.page.keyboard.type(' Enter\n ', { delay: 20 });
    expect((await live(bo))[0]?.stage).toBe('ringing');
    expect(await stands(b, 'main.call')).toBe(false);
    await a.press('call.hangup');
    await bo.page.getByRole('alertdialog').waitFor({ state: 'detached' });
  });
});
