// A page from somewhere else can neither read nor write through the local interface: from
// another port of this computer, and by a name that was made to lead here (DNS rebinding).

import { createServer, type Server as HTTP } from 'node:http';
import type { AddressInfo } from 'node:net';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Person } from './person';
import { staged } from './stage';

describe('other origins', () => {
  const stage = staged('--host-resolver-rules=MAP evil.example 127.0.0.1');
  let ana: Person, bo: Person;
  let evil: HTTP;
  let at = '';

  beforeAll(async () => {
    const server = await stage.server();
    [ana, bo] = await Promise.all([stage.person('ana', server), stage.person('bo', server)]);
    await stage.meet(ana, bo, 'for bo alone');
    evil = createServer((_, w) => w.setHeader('Content-Type', 'text/html').end('<!doctype html><title>evil</title><p>a page')).listen(0, '127.0.0.1');
    await new Promise((done) => evil.once('listening', done));
    at = `http://127.0.0.1:${(evil.address() as AddressInfo).port}`;
  });
  afterAll(() => void evil.close());

  /** Everything a page could try, in a tab of ana's own browser, with her cookies. */
  async function attack(page: string, app: string): Promise<{ read: string[]; framed: boolean; opened: boolean }> {
    const tab = await ana.page.context().browser()!.newContext();
    await tab.addCookies(await ana.page.context().cookies());
    const evilPage = await tab.newPage();
    await evilPage.goto(page);
    const result = await evilPage.evaluate(async (app) => {
      const read: string[] = [];
      const tries: [string, RequestInit][] = [
        ['/api/v1/state', {}],
        ['/api/v1/state', { credentials: 'include' }],
        ['/api/v1/rooms', { credentials: 'include', headers: { 'Sotto-Key': 'x' } }],
        ['/api/v1/rooms', { credentials: 'include', mode: 'no-cors' }],
        ['/api/v1/messages', { method: 'POST', credentials: 'include', headers: { 'Content-Type': 'application/json' }, body: '{"to":"x","text":"evil"}' }],
        ['/api/v1/messages', { method: 'POST', credentials: 'include', mode: 'no-cors', body: '{"to":"x","text":"evil"}' }],
        ['/api/v1/quit', { method: 'POST', credentials: 'include', mode: 'no-cors' }],
        ['/api/v1/session', { method: 'POST', credentials: 'include', body: '{"token":"x"}' }],
        ['/api/v1/openings', { method: 'POST', credentials: 'include', mode: 'no-cors', body: '{}' }],
        ['/', { credentials: 'include' }],
        ['/', { credentials: 'include', mode: 'no-cors' }],
      ];
      for (const [path, init] of tries) {
        try {
          const a = await fetch(app + path, init);
          if (a.type !== 'opaque' && a.ok) read.push(`${path}: ${a.status} ${(await a.text()).slice(0, 80)}`);
        } catch {
          // refused, as it must be
        }
      }
      const loads = (make: () => HTMLElement) => new Promise<boolean>((done) => {
        const e = make();
        e.onload = () => done(true);
        e.onerror = () => done(false);
        document.body.append(e);
        setTimeout(() => done(false), 3_000);
      });
      const picture = (src: string) => () => Object.assign(new Image(), { src });
      if (await loads(picture(app + '/mark.svg'))) read.push('a picture of the interface');
      const script = (src: string) => () => Object.assign(document.createElement('script'), { src });
      if (await loads(script(app + '/api/v1/state'))) read.push('the state as a script');
      const frame = document.createElement('iframe');
      frame.src = app + '/';
      document.body.append(frame);
      await new Promise((done) => { frame.onload = done; setTimeout(done, 3_000); });
      let framed = false;
      try {
        framed = (frame.contentDocument?.body?.innerText ?? '').length > 0;
      } catch {
        // another origin: what is in it cannot be seen
      }
      const source = new EventSource(app + '/api/v1/events', { withCredentials: true });
      if (await new Promise<boolean>((done) => { source.onopen = () => done(true); source.onerror = () => done(false); setTimeout(() => done(false), 3_000); })) read.push('the events');
      source.close();
      // A form goes where scripts may not.
      const form = document.createElement('form');
      form.method = 'post';
      form.action = app + '/api/v1/quit';
      form.target = 'hole';
      const hole = document.createElement('iframe');
      hole.name = 'hole';
      document.body.append(hole, form);
      form.submit();
      await new Promise((done) => { hole.onload = done; setTimeout(done, 2_000); });
      const w = window.open(app + '/');
      await new Promise((done) => setTimeout(done, 500));
      let opened = false;
      try {
        opened = !!w && !w.closed && (w.document.body?.innerText.length ?? 0) > 0;
      } catch {
        // not to be seen
      }
      w?.close();
      return { read, framed, opened };
    }, app);
    await tab.close();
    return result;
  }

  test('a page on another port reads nothing and changes nothing', async () => {
    expect(await attack(at, ana.app.origin)).toEqual({ read: [], framed: false, opened: false });
    expect((await ana.room('bo')).last?.text).toBe('for bo alone');
    await ana.row('bo').waitFor();
  });

  test('a name that leads here (DNS rebinding) is refused', async () => {
    const rebound = `http://evil.example:${new URL(ana.app.origin).port}`;
    const context = await stage.browser.newContext();
    await context.addCookies((await ana.page.context().cookies()).map((c) => ({ ...c, domain: 'evil.example' })));
    const page = await context.newPage();
    const answer = await page.goto(rebound + '/');
    expect(answer?.status()).toBe(421);
    expect(await page.content()).not.toContain('assets');
    const read = await page.evaluate(async () => {
      const out: string[] = [];
      for (const path of ['/api/v1/state', '/api/v1/rooms', '/', '/csp']) {
        const a = await fetch(path, { credentials: 'include' }).catch(() => undefined);
        if (a?.ok) out.push(path);
      }
      const w = await fetch('/api/v1/quit', { method: 'POST', headers: { 'Sotto-Key': 'x' } }).catch(() => undefined);
      if (w?.ok) out.push('quit');
      return out;
    });
    expect(read).toEqual([]);
    await context.close();
    await ana.row('bo').waitFor();
  });

  test('another program of this computer without the key gets nothing', async () => {
    const url = new URL(ana.app.origin);
    const cookies = (await ana.page.context().cookies()).map((c) => `${c.name}=${c.value}`).join('; ');
    const ask = (headers: Record<string, string>) => new Promise<number>((done, failed) => {
      request({ host: url.hostname, port: url.port, path: '/api/v1/state', headers }, (a) => done(a.resume().statusCode ?? 0)).on('error', failed).end();
    });
    expect(await ask({})).toBe(403);
    expect(await ask({ Cookie: cookies })).toBe(403);
    expect(await ask({ Cookie: cookies, 'Sotto-Key': 'guessed' })).toBe(401);
    expect(await ask({ Cookie: cookies, 'Sotto-Key': 'guessed', Origin: 'http://evil.example' })).toBe(403);
    expect(await ask({ Host: 'localhost:' + url.port })).toBe(421);
  });

  test('a leaked address is worth nothing once it was used', async () => {
    const url = await ana.app.opening();
    const token = new URLSearchParams(new URL(url).hash.slice(1)).get('open');
    const page = await (await stage.browser.newContext()).newPage();
    await page.goto(url);
    await page.locator('[data-room]').first().waitFor();
    const status = await fetch(ana.app.origin + '/api/v1/session', {
      method: 'POST', body: JSON.stringify({ token }),
      headers: { 'Content-Type': 'application/json', Origin: ana.app.origin, 'Sotto-Key': 'x' },
    }).then((a) => a.status);
    expect([401, 403]).toContain(status);
    await page.context().close();
  });
});
