// Somebody in front of a window. What they do is done as by hand: with the mouse, the
// keyboard, and by what the interface calls things.

import { basename } from 'node:path';
import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core';
import type { Message, Request, Room, State } from '../src/api/types';
import { en, type Key } from '../src/i18n/en';
import { App } from './app';
import { patience } from './process';
import { until } from './until';
import { Watch } from './watch';
import { begins, exactly, literal, part, say } from './words';

export type Window = Pick<BrowserContextOptions, 'viewport' | 'colorScheme' | 'reducedMotion' | 'forcedColors' | 'locale' | 'hasTouch' | 'permissions' | 'deviceScaleFactor'> & {
  /** Runs in every page before its own scripts: a function and what it is given. */
  before?: readonly [(a: never) => void, unknown?];
};

export class Person {
  readonly app: App;
  readonly watch = new Watch();
  handle = '';
  account = '';
  #context: BrowserContext | undefined;
  #page: Page | undefined;

  constructor(readonly browser: Browser, readonly home: string) {
    this.app = new App(home);
  }

  /** name is the first part of the handle. */
  get name(): string {
    return this.handle.split('@')[0] || basename(this.home);
  }

  get page(): Page {
    if (!this.#page) throw new Error(`${this.name} has no window`);
    return this.#page;
  }

  get hasWindow(): boolean {
    return this.#page !== undefined && !this.#page.isClosed();
  }

  /** registers makes the account from the command line, before the app runs. */
  async registers(handle: string): Promise<void> {
    const said = await this.app.cli('account', 'create', handle);
    this.handle = handle;
    this.account = String(said.find((x) => typeof x.account === 'string')?.account ?? '');
  }

  /** comes starts the app and opens a window of it. */
  async comes(window: Window = {}): Promise<Page> {
    const url = this.app.running ? await this.app.opening() : await this.app.start();
    return this.look(url, window);
  }

  /** look opens a window at an opening address, in a browser profile of its own the first time. */
  async look(url: string, { before, ...window }: Window = {}): Promise<Page> {
    if (!this.#context) {
      this.#context = await this.browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB', reducedMotion: 'reduce', timezoneId: 'Europe/Berlin', ...window });
      this.#context.setDefaultTimeout(patience);
      await this.watch.on(this.#context);
      if (before) await this.#context.addInitScript(before[0] as (a: unknown) => void, before[1]);
    }
    this.watch.allow(new URL(url).origin);
    this.#page = await this.#context.newPage();
    await this.#page.goto(url);
    return this.#page;
  }

  /** another opens one more window of the same browser; the one before stays the one that is looked at. */
  async another(): Promise<Page> {
    if (!this.#context) throw new Error(`${this.name} has no window`);
    const page = await this.#context.newPage();
    await page.goto(await this.app.opening());
    return page;
  }

  /** leaves closes the windows; the app lives on. */
  async leaves(): Promise<void> {
    await this.#context?.close();
    this.#context = this.#page = undefined;
  }

  /** knows who it is, after a first run in the window. */
  async knows(): Promise<void> {
    const self = (await this.app.call<State>('GET', '/state')).self;
    if (!self) throw new Error('there is no account');
    this.handle = self.handle;
    this.account = self.account;
  }

  // Where one looks.

  get list(): Locator {
    return this.page.getByRole('navigation', { name: say('list.label') });
  }

  /** row is a conversation in the list. */
  row(name: string): Locator {
    return this.list.locator('[data-room]').filter({ has: this.page.locator('.name bdi').getByText(exactly(name)) });
  }

  get log(): Locator {
    return this.page.getByRole('log');
  }

  get composer(): Locator {
    return this.page.locator('footer textarea');
  }

  /** message is the newest one in the stream with this text in it, not only in its quote. */
  message(text: string | RegExp): Locator {
    return this.log.locator('[role=article]').filter({ has: this.page.locator('.m > .text, .m.deleted').filter({ hasText: text }) }).last();
  }

  /** meta is what stands under a message: time, one word, state. */
  meta(text: string | RegExp): Locator {
    return this.log.locator('.wrap').filter({ has: this.page.locator('.m > .text, .m.deleted').filter({ hasText: text }) }).last().locator('.meta');
  }

  button(key: Key, values: Record<string, string | number> = {}): Locator {
    return this.page.getByRole('button', { name: say(key, values as never) });
  }

  dialog(key: Key, values: Record<string, string | number> = {}): Locator {
    return this.page.getByRole('dialog', { name: say(key, values as never) });
  }

  field(key: Key, values: Record<string, string | number> = {}): Locator {
    return this.page.getByLabel(begins(key, values as never)).first();
  }

  /** pressable is a button, or a link that looks like one. */
  pressable(key: Key, values: Record<string, string | number> = {}): Locator {
    const name = say(key, values as never);
    return this.page.getByRole('button', { name }).or(this.page.getByRole('link', { name }));
  }

  radio(key: Key, values: Record<string, string | number> = {}): Locator {
    return this.page.getByRole('radio', { name: say(key, values as never) });
  }

  switch(key: Key): Locator {
    return this.page.getByRole('switch', { name: say(key) });
  }

  select(key: Key): Locator {
    return this.page.getByRole('combobox', { name: say(key) });
  }

  /** text is a sentence of sotto's somewhere in the window. */
  text(key: Key, values: Record<string, string | number> = {}): Locator {
    return this.page.getByText(part(key, values as never)).first();
  }

  heading(key: Key, values: Record<string, string | number> = {}): Locator {
    return this.page.getByRole('heading', { name: say(key, values as never) });
  }

  // What one does.

  async press(key: Key, values: Record<string, string | number> = {}): Promise<void> {
    await this.pressable(key, values).first().click();
  }

  async goes(path: string): Promise<void> {
    // Within the window, as a click on a link does.
    await this.page.evaluate((to) => {
      const a = document.createElement('a');
      a.href = to;
      document.body.append(a);
      a.click();
      a.remove();
    }, path);
  }

  async opens(name: string): Promise<void> {
    const back = this.page.locator('main').getByRole('link', { name: say('head.back') });
    if (await back.isVisible()) await back.click();
    else if (!(await this.list.isVisible())) await this.goes('/');
    await this.row(name).click();
    await this.page.locator('main h1').filter({ hasText: name }).waitFor();
    await this.composer.or(this.page.locator('.over')).first().waitFor();
  }

  /** writes says something in the conversation that is open. */
  async writes(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.button('composer.send').click();
    await this.composer.and(this.page.locator(':placeholder-shown')).waitFor();
  }

  /** reads waits until something stands in the stream. */
  async reads(text: string): Promise<void> {
    await this.message(text).waitFor();
  }

  /** does chooses from the menu of a message. */
  async does(text: string | RegExp, key: Key): Promise<void> {
    await this.message(text).click({ button: 'right' });
    await this.chooses(key);
  }

  /** chooses takes what a menu that is open offers. */
  async chooses(key: Key, values: Record<string, string | number> = {}): Promise<void> {
    await this.page.getByRole('menu').locator('[role^=menuitem]').filter({ hasText: begins(key, values as never) }).first().click();
  }

  /** more opens the menu of the conversation and chooses from it. */
  async more(key: Key, values: Record<string, string | number> = {}): Promise<void> {
    await this.button('head.more').or(this.button('head.more.who')).click();
    await this.chooses(key, values);
  }

  /** state waits until an own message is so far, or as far as one of several states. */
  async state(text: string, ...states: ('queued' | 'stored' | 'delivered' | 'read')[]): Promise<void> {
    await this.meta(text).filter({ hasText: new RegExp(`(${states.map((s) => literal(en[`state.${s}`])).join('|')})\\s*$`) }).waitFor({ state: 'attached' });
  }

  async hearsToast(key: Key, values: Record<string, string | number> = {}): Promise<void> {
    await this.page.locator('.toast .text').filter({ hasText: say(key, values as never) }).first().waitFor();
  }

  // What a script of theirs does, to get to the scene.

  async sends(to: string, text: string, more: object = {}): Promise<Message> {
    return this.app.call<Message>('POST', '/messages', { to, text, ...more });
  }

  async rooms(): Promise<Room[]> {
    return this.app.call<Room[]>('GET', '/rooms');
  }

  /** room waits for a conversation by its name. */
  async room(name: string): Promise<Room> {
    return until(async () => (await this.rooms()).find((r) => r.name === name), `a conversation called ${name} at ${this.name}`);
  }

  /** accepts waits for a request from somebody and accepts it. */
  async accepts(from: Person): Promise<void> {
    await until(async () => (await this.app.call<Request[]>('GET', '/requests')).find((r) => r.account === from.account), `a request from ${from.name}`);
    await this.app.call('POST', `/requests/${from.account}`, { answer: 'accept' });
  }
}
