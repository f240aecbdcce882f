// One conversation as a window onto it: messages, paging, what is being written.

import { untrack } from 'svelte';
import * as api from '../api/calls';
import { Refused } from '../api/request';
import type { Message, Page, PageQuery, RoomDetail } from '../api/types';
import { live } from '../lib/live.svelte';
import { rooms } from '../lib/rooms.svelte';
import { session } from '../lib/session.svelte';
import { again, rows, type Row } from './rows';
import * as win from './window';

/** A draft is kept after a pause of so many milliseconds. */
const draftPause = 700;
/** So many milliseconds after the last letter the app has told all that it has kept. */
const draftSettles = 3_000;

/** Where the stream should stand after a change. */
export type Target = { to: 'end' } | { to: 'unread' } | { to: 'message'; id: string; light: boolean };

export class Conversation {
  #shown = $state.raw<win.Shown>(win.nothing);
  #rows: readonly Row[] = [];
  /** The first message that was not read when the room was opened: "new" stands above it. */
  firstUnread = $state<string | undefined>();
  detail = $state.raw<RoomDetail | undefined>();
  loaded = $state(false);
  failed = $state.raw<Refused | undefined>();
  /** What the stream should do next; it takes it away. */
  target = $state.raw<Target | undefined>();
  busy = $state<'older' | 'newer' | undefined>();

  /** What is being written. */
  text = $state('');
  reply = $state.raw<Message | undefined>();
  editing = $state.raw<Message | undefined>();
  #beforeEdit = '';
  #draftTimer: ReturnType<typeof setTimeout> | undefined;
  #elsewhereTimer: ReturnType<typeof setTimeout> | undefined;
  #saved = '';
  #written = 0;
  #visit = 0;
  /** Older than what is shown here: to be loaded again before it is shown. */
  stale = false;

  readonly rows: readonly Row[] = $derived.by(() => (this.#rows = again(this.#rows, rows(this.#shown.messages, this.firstUnread))));

  constructor(readonly id: string) {
    const room = rooms.get(id);
    this.text = this.#saved = room?.draft ?? '';
  }

  get messages(): readonly Message[] {
    return this.#shown.messages;
  }
  get moreBefore(): boolean {
    return this.#shown.moreBefore;
  }
  get moreAfter(): boolean {
    return this.#shown.moreAfter;
  }

  message(id: string): Message | undefined {
    return this.#shown.messages.find((m) => m.id === id);
  }

  /** open loads what a visit begins with: the message asked for, what is unread, or the end. */
  async open(message?: string): Promise<void> {
    // What is said comes first, then who is there.
    queueMicrotask(() => void this.loadDetail());
    if (message) return this.around(message);
    const unread = (rooms.get(this.id)?.unread ?? 0) > 0;
    if (this.loaded && !this.stale && !this.moreAfter && !unread) {
      this.firstUnread = undefined;
      this.target = { to: 'end' };
      return;
    }
    await this.#load({ unread: unread || undefined }, (page) => {
      this.firstUnread = unread ? page.first_unread : undefined;
      return this.firstUnread ? { to: 'unread' } : { to: 'end' };
    });
  }

  async around(id: string): Promise<void> {
    if (this.message(id) && !this.stale) this.target = { to: 'message', id, light: true };
    else await this.#load({ around: id }, (page) => ({ to: 'message', id: page.target ?? id, light: true }));
  }

  async toDate(time: number): Promise<void> {
    await this.#load({ date: time }, (page) => (page.target ? { to: 'message', id: page.target, light: false } : { to: 'end' }));
  }

  async toEnd(): Promise<void> {
    if (this.moreAfter || this.stale) await this.#load({}, () => ({ to: 'end' }));
    else this.target = { to: 'end' };
  }

  async #load(query: PageQuery, target: (page: Page) => Target): Promise<void> {
    const visit = ++this.#visit;
    try {
      const page = await api.messages(this.id, { ...query, limit: win.firstSize });
      if (visit !== this.#visit) return;
      this.#shown = win.whole(page);
      this.failed = undefined;
      this.stale = false;
      this.target = target(page);
      this.loaded = true;
    } catch (err) {
      if (!(err instanceof Refused)) throw err;
      if (visit === this.#visit) this.failed = err;
    }
  }

  async older(): Promise<void> {
    await this.#page('older', () => ({ before: win.firstPos(this.#shown) }), win.older);
  }
  async newer(): Promise<void> {
    await this.#page('newer', () => ({ after: win.lastPos(this.#shown) }), win.newer);
  }

  async #page(way: 'older' | 'newer', query: () => PageQuery, merge: typeof win.older): Promise<void> {
    if (this.busy || (way === 'older' ? !this.moreBefore : !this.moreAfter)) return;
    this.busy = way;
    const visit = this.#visit;
    try {
      const page = await api.messages(this.id, { ...query(), limit: win.pageSize });
      if (visit === this.#visit) this.#shown = merge(this.#shown, page);
    } catch (err) {
      if (!(err instanceof Refused)) throw err;
      // away: scrolling there again tries again
    } finally {
      this.busy = undefined;
    }
  }

  async loadDetail(): Promise<void> {
    try {
      this.detail = await api.room(this.id);
    } catch (err) {
      if (!(err instanceof Refused)) throw err;
      if (err.status === 404) this.failed = err;
    }
  }

  /** What is shown again after the stream of events was interrupted. */
  async reload(): Promise<void> {
    this.stale = true;
    void this.loadDetail();
    const last = this.#shown.messages.at(-1);
    if (!this.moreAfter || !last) await this.#load({}, () => ({ to: 'end' }));
    else await this.#load({ around: last.id }, () => ({ to: 'message', id: last.id, light: false }));
  }

  arrived(m: Message): void {
    if (m.own) this.firstUnread = undefined;
    this.#shown = win.arrived(this.#shown, m);
  }
  changed(m: Message): void {
    this.#shown = win.changed(this.#shown, m);
    if (this.reply?.id === m.id) this.reply = m.deleted ? undefined : m;
    if (this.editing?.id === m.id && m.deleted) this.stopEditing();
  }
  gone(id: string): void {
    this.#shown = win.gone(this.#shown, id);
    if (this.reply?.id === id) this.reply = undefined;
  }

  /**
   * answered takes what a call says of a message. Its state does not go back: an event that
   * came before the answer may tell of a later one.
   */
  #answered(m: Message): void {
    const before = this.message(m.id)?.state ?? '';
    const way = ['queued', 'stored', 'delivered', 'read'];
    this.changed(way.includes(m.state) && way.indexOf(before) > way.indexOf(m.state) ? { ...m, state: before } : m);
  }

  /** send writes what stands in the field, or gives the edited message its new text. */
  async send(text: string, o: { reply?: string; expire?: number } = {}): Promise<void> {
    const message = await api.send({ to: this.id, text, reply: o.reply, expire: o.expire });
    if (this.moreAfter) await this.toEnd();
    else {
      if (!this.message(message.id)) this.arrived(message); // else events were faster, and know more
      this.target = { to: 'end' };
    }
  }

  async edit(message: Message, text: string): Promise<void> {
    this.#answered(await api.edit(message.id, { text }));
  }
  async react(message: Message, emoji: string): Promise<void> {
    this.#answered(await api.react(message.id, { emoji }));
  }
  async star(message: Message): Promise<void> {
    this.#answered(await api.star(message.id, { on: !message.starred }));
  }
  async pin(message: Message): Promise<void> {
    this.#answered(await api.pin(message.id, { on: !message.pinned }));
    void this.loadDetail();
  }
  async retry(message: Message): Promise<void> {
    this.changed(await api.retry(message.id));
  }
  async remove(message: Message, here: boolean): Promise<void> {
    await api.deleteMessage(message.id, here ? { here } : {});
    if (here) this.gone(message.id);
  }

  /** The last own message that can be edited. */
  get lastOwn(): Message | undefined {
    return this.#shown.messages.findLast((m) => m.own && !m.deleted && m.kind !== 'event' && m.kind !== 'attachment');
  }

  edits(message: Message, text: string): void {
    if (!this.editing) this.#beforeEdit = this.text;
    this.reply = undefined;
    this.editing = message;
    this.text = text;
  }
  stopEditing(): void {
    if (!this.editing) return;
    this.editing = undefined;
    this.text = this.#beforeEdit;
    this.#beforeEdit = '';
  }

  /** What was begun on another device comes here, but where something is being written. */
  takeDraft(draft: string): void {
    untrack(() => {
      clearTimeout(this.#elsewhereTimer);
      const own = this.editing !== undefined || this.text.trim() !== this.#saved.trim();
      if (!this.id || own || draft.trim() === this.#saved.trim()) return;
      const wait = this.#written + draftSettles - Date.now();
      if (wait > 0) {
        this.#elsewhereTimer = setTimeout(() => this.takeDraft(rooms.get(this.id)?.draft ?? ''), wait);
        return;
      }
      this.text = this.#saved = draft;
    });
  }

  /** The draft is kept after a pause, and at once when one leaves. */
  keepDraft(now = false): void {
    this.#written = Date.now();
    clearTimeout(this.#draftTimer);
    this.#draftTimer = now ? undefined : setTimeout(() => this.#keep(), draftPause);
    if (now) this.#keep();
  }

  #keep(): void {
    if (!this.id) return;
    const draft = this.editing ? this.#beforeEdit : this.text;
    if (draft.trim() === this.#saved.trim()) return;
    this.#saved = draft;
    rooms.mark(this.id, { draft: draft.trim() ? draft : '' }).catch((err: unknown) => {
      if (!(err instanceof Refused)) throw err;
      this.#saved = ''; // the next letter tries again
    });
  }
}

/**
 * made is a conversation that outlives the component that asked for it first: what is
 * derived within a component stands still once that one has left the page.
 */
function made(id: string): Conversation {
  let c: Conversation | undefined;
  $effect.root(() => {
    c = new Conversation(id);
  });
  return c as unknown as Conversation;
}

/** The conversations that were looked at last: opening one of them again costs nothing. */
class Conversations {
  #kept = new Map<string, Conversation>();
  readonly #max = 8;

  constructor() {
    live.on('message', (e) => e.message && this.#of(e.message)?.arrived(e.message));
    live.on('changed', (e) => e.message && this.#of(e.message)?.changed(e.message));
    live.on('gone', (e) => {
      for (const c of this.#kept.values()) if (e.id) c.gone(e.id);
    });
    live.on('room', (e) => {
      const c = e.room && this.#kept.get(e.room);
      if (c && c.detail) void c.loadDetail();
    });
    // What another device hands over stands before what is here: a conversation that was
    // thought to begin here is looked at again.
    live.on('history', () => {
      for (const [id, c] of this.#kept) {
        if (c.moreBefore) continue;
        c.stale = true;
        if (id === this.shown) void c.reload();
      }
    });
    session.onReload(() => {
      for (const c of this.#kept.values()) c.stale = true;
      const shown = this.shown && this.#kept.get(this.shown);
      if (shown && session.stage === 'open') void shown.reload();
      else if (session.stage !== 'open') this.#kept.clear();
    });
  }

  /** The one in the window. */
  shown: string | undefined;

  get(id: string): Conversation {
    const c = this.#kept.get(id) ?? made(id);
    this.#kept.delete(id);
    this.#kept.set(id, c);
    for (const old of this.#kept.keys()) {
      if (this.#kept.size <= this.#max) break;
      this.#kept.delete(old);
    }
    return c;
  }

  forget(id: string): void {
    this.#kept.delete(id);
  }

  #of(m: Message): Conversation | undefined {
    return this.#kept.get(m.room);
  }
}

export const conversations = new Conversations();
