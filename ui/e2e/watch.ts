// What no page of the interface may ever do. A page that does it fails its test.

import type { BrowserContext, Page } from 'playwright-core';

/** Watch keeps what went wrong in the pages of a context. */
export class Watch {
  readonly wrong: string[] = [];
  /** Console errors that a test brings about by intent, such as a server that is away. */
  readonly expected: RegExp[] = [];
  #origins = new Set<string>();

  /** on watches every page of a context, from before its first script. */
  async on(context: BrowserContext): Promise<void> {
    await context.exposeBinding('e2eViolation', (_, what: string) => void this.#say(`CSP: ${what}`));
    await context.addInitScript(() => {
      addEventListener('securitypolicyviolation', (e) => {
        const report = (globalThis as unknown as { e2eViolation(what: string): void }).e2eViolation;
        report(`${e.effectiveDirective} stopped ${e.blockedURI} at ${e.sourceFile}:${e.lineNumber} ${e.sample}`);
      });
    });
    context.on('page', (page) => this.#page(page));
    context.on('request', (r) => {
      const url = new URL(r.url());
      if (url.protocol !== 'blob:' && url.protocol !== 'data:' && !this.#origins.has(url.origin)) this.#say(`request to another origin: ${r.url()}`);
    });
  }

  /** allow names an origin whose requests are in order: the app's own. */
  allow(origin: string): void {
    this.#origins.add(origin);
  }

  #page(page: Page): void {
    page.on('pageerror', (err) => this.#say(`exception: ${err.stack ?? err.message}`));
    page.on('console', (m) => {
      if (m.type() === 'error') this.#say(`console: ${m.text()} (${m.location().url})`);
    });
    page.on('crash', () => this.#say('the page crashed'));
  }

  #say(what: string): void {
    if (!this.expected.some((e) => e.test(what))) this.wrong.push(what);
  }
}
