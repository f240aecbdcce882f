// The play of a call between two seats, whichever browsers they are.

import { expect } from 'vitest';
import type { Call } from '../src/api/types';
import type { App } from './app';
import { media, shows, stands, words, type Seat } from './seat';
import { until } from './until';
import { part } from './words';

export interface Caller {
  name: string;
  app: App;
  seat: Seat;
}

export const live = (of: { app: App }): Promise<Call[]> => of.app.call<Call[]>('GET', '/calls');

/** more waits until a number has grown by so much. It begins anew with each connection: the one of the call before may
 * be there still. */
async function more(of: () => Promise<number>, by: number, what: string): Promise<void> {
  let least = Infinity;
  await until(async () => {
    const now = await of();
    least = Math.min(least, now);
    return now >= least + by;
  }, what);
}

/** frames waits until pictures of a part come on. */
export const frames = (seat: Seat, of: 0 | 1, by = 10): Promise<void> => more(async () => (await media(seat)).frames[of], by, `pictures in part ${of}`);

const energy = async (seat: Seat): Promise<number> => (await media(seat)).energy;

/** louder waits until something is heard. */
export const louder = (seat: Seat): Promise<void> => more(() => energy(seat), 1e-4, 'sound');

/** quiet waits until nothing more is heard. */
export async function quiet(seat: Seat): Promise<void> {
  let last = -1;
  await until(async () => {
    const now = await energy(seat);
    const still = last >= 0 && now - last < 1e-6;
    last = now;
    await new Promise((done) => setTimeout(done, 1_200)); // longer than the beeps of Chromium are apart
    return still;
  }, 'silence');
}

/** call lets one call and the other answer, until they are connected. */
export async function call(from: Caller, to: Caller, video: boolean): Promise<void> {
  await from.seat.press(video ? 'head.video' : 'head.call', { name: to.name });
  await until(() => stands(to.seat, 'dialog[role=alertdialog]'), 'a ring');
  await to.seat.press('ring.answer');
  await until(async () => (await media(from.seat)).state === 'connected' && (await media(to.seat)).state === 'connected', 'a connection');
}

/** over waits until both have left the stage. */
export async function over(a: Caller, b: Caller): Promise<void> {
  await until(async () => !(await stands(a.seat, 'main.call')) && !(await stands(b.seat, 'main.call')), 'the end of the call');
  await until(async () => !(await live(a)).length && !(await live(b)).length, 'no call');
}

/** play is a whole call: everything that can be switched is switched, and is heard and seen at the other side. */
export async function play(from: Caller, to: Caller): Promise<void> {
  const [a, b] = [from.seat, to.seat];
  await call(from, to, true);
  await Promise.all([frames(a, 0), frames(b, 0), louder(a), louder(b)]);
  const [of, at] = [await media(a), await media(b)];
  expect(of.path).toBe('direct');
  expect([of.sound.toLowerCase(), at.sound.toLowerCase()]).toEqual(['audio/opus', 'audio/opus']);
  expect([of.picture, at.picture]).toEqual(['video/VP8', 'video/VP8']);

  const said = async (seat: Seat) => until(async () => { const w = await words(seat); return w.length === 2 && w; }, 'words');
  expect(await said(b)).toEqual(await said(a));
  await a.press('call.words.match');
  await until(async () => !(await stands(a, '[data-words]')), 'words put away');
  expect(await stands(b, '[data-words]')).toBe(true);

  await a.key('m');
  await until(() => shows(b, part('call.theirs.muted', { name: from.name })), 'that it is mute');
  await quiet(b);
  await a.press('call.mute');
  await louder(b);

  await a.key('v');
  await until(async () => !(await stands(b, '[data-picture]')), 'no picture');
  await a.press('call.camera.on');
  await until(() => stands(b, '[data-picture]'), 'a picture');
  await frames(b, 0);

  await b.press('call.share');
  await frames(a, 1);
  await until(() => stands(a, '[data-picture] video.whole'), 'the screen');
  await b.press('call.share');
  await until(async () => !(await stands(a, '[data-picture] video.whole')), 'no screen');

  await a.press('call.hold');
  await until(() => shows(b, part('call.holds', { name: from.name })), 'that it is on hold');
  await quiet(b);
  await a.press('call.hold');
  await Promise.all([louder(b), frames(b, 0)]);

  await a.press('call.hangup');
  await over(from, to);
}
