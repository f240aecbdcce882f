// Debian's Firefox as a seat for calls, by WebDriver BiDi.

import puppeteer, { type Browser, type ElementHandle, type Page } from 'puppeteer-core';
import type { App } from './app';
import { patience } from './process';
import { hook, type Seat } from './seat';
import { until } from './until';
import { say } from './words';

const prefs = {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'media.peerconnection.ice.loopback': true,
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  'media.autoplay.default': 0,
  'media.gmp-manager.updateEnabled': false,
  'app.update.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'intl.accept_languages': 'en-GB',
  'ui.prefersReducedMotion': 1,
};

/** firefox starts one. */
export function firefox(): Promise<Browser> {
  return puppeteer.launch({
    browser: 'firefox', executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr', headless: true, extraPrefsFirefox: prefs,
    args: ['--width=1280', '--height=800'], timeout: patience, protocolTimeout: patience,
  });
}

export interface FirefoxSeat extends Seat {
  readonly page: Page;
  /** What went wrong in the page. */
  readonly wrong: string[];
}

/** sitsInFirefox opens a window of somebody's app. */
export async function sitsInFirefox(browser: Browser, app: App): Promise<FirefoxSeat> {
  const page = await browser.newPage({ type: 'window' }); // one behind another would be put to sleep
  await page.setViewport({ width: 1280, height: 800 });
  page.setDefaultTimeout(patience);
  const wrong: string[] = [];
  page.on('pageerror', (err) => wrong.push(`exception: ${String(err)}`));
  page.on('console', (m) => {
    if (m.type() === 'error') wrong.push(`console: ${m.text()}`);
  });
  await page.evaluateOnNewDocument(hook);
  // A machine without a screen has none to show: a drawing that moves stands for it.
  await page.evaluateOnNewDocument(() => {
    if (!navigator.mediaDevices) return; // the empty page before
    navigator.mediaDevices.getDisplayMedia = async () => {
      const canvas = document.createElement('canvas');
      [canvas.width, canvas.height] = [960, 600];
      const pen = canvas.getContext('2d');
      let n = 0;
      setInterval(() => pen?.fillRect(n++ % 900, 40, 60, 60), 50);
      return canvas.captureStream(20);
    };
  });
  await page.goto(app.running ? await app.opening() : await app.start());
  return {
    browser: 'firefox', page, wrong,
    press: async (key, values = {}) => {
      await until(async () => {
        const handle = await page.evaluateHandle(
          (source: string) => [...document.querySelectorAll<HTMLElement>('button, [role^=menuitem]')].find((b) => !b.closest('[inert]') && b.getClientRects().length > 0 && new RegExp(source).test(b.getAttribute('aria-label') ?? b.innerText)),
          say(key, values as never).source,
        );
        await (handle.asElement() as ElementHandle<HTMLElement> | null)?.click();
        return handle.asElement() !== null;
      }, `a button called ${key}`);
    },
    key: (name) => page.keyboard.press(name as never),
    run: (f, a) => page.evaluate(f as never, a as never) as never,
  };
}
