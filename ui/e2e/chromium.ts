// Chromium as a seat for calls.

import type { Page } from 'playwright-core';
import type { Person } from './person';
import { hook, type Seat } from './seat';
import { say } from './words';

/** What Chromium has to be started with to call without devices, on one machine. */
export const calling = [
  '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--allow-loopback-in-peer-connection',
  '--disable-features=WebRtcHideLocalIpsWithMdns', '--autoplay-policy=no-user-gesture-required',
];

/** chromiumSeat is a window of somebody that is open. */
export function chromiumSeat(page: Page): Seat {
  return {
    browser: 'chromium',
    press: (key, values = {}) => page.getByRole('button', { name: say(key, values as never) }).first().click(),
    key: (name) => page.keyboard.press(name),
    run: (f, a) => page.evaluate(f as never, a as never),
  };
}

/** sits opens a window of somebody for calls. */
export async function sitsInChromium(p: Person, window: Parameters<Person['comes']>[0] = {}): Promise<Seat> {
  await p.comes({ permissions: ['camera', 'microphone'], before: [hook], ...window });
  return chromiumSeat(p.page);
}
