// The conversations, as the list shows them. The app is the truth; events say which one to
// load again, and those that come close together are loaded together.

import { SvelteMap, SvelteSet } from 'svelte/reactivity';
import { markRoom, room as loadRoom, rooms as loadRooms } from '../api/calls';
import { Refused } from '../api/request';
import type { Room, RoomMine } from '../api/types';
import { t } from '../i18n/i18n.svelte';
import { live } from './live.svelte';

/** How long changes gather before they are loaded, in milliseconds. */
const gather = 60;
/** From so many changed rooms on the whole list is loaded. */
const many = 12;
/** Who writes is taken to have stopped after so long without news; the app says so sooner. */
const writingLasts = 8_000;

/** The order of the list: newest first. */
export function byTime(a: Room, b: Room): number {
  return b.time - a.time || a.id.localeCompare(b.id);
}

/** The notes to oneself have the name that the language gives them. */
function named(r: Room): Room {
  return r.kind === 'self' ? { ...r, name: t('new.notes') } : r;
}

class Rooms {
  #all = $state.raw(new Map<string, Room>());
  #writing = new SvelteMap<string, SvelteSet<string>>();
  #timers = new Map<string, ReturnType<typeof setTimeout>>();
  #changed = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  loaded = $state(false);

  readonly list: Room[] = $derived([...this.#all.values()].filter((r) => !r.archived).map(named).sort(byTime));
  readonly pinned: Room[] = $derived(this.list.filter((r) => r.pinned));
  readonly others: Room[] = $derived(this.list.filter((r) => !r.pinned));
  /** For the title: messages that nobody has read in rooms that are not muted. */
  readonly unread: number = $derived(this.list.reduce((n, r) => n + (r.muted ? 0 : r.unread || (r.mark_unread ? 1 : 0)), 0));

  constructor() {
    live.on('rooms', () => void this.load());
    live.on('room', (e) => {
      const { row } = e as { row?: Room };
      if (row) this.put(row);
      else if (e.room) this.#changedRoom(e.room);
    });
    live.on('message', (e) => {
      const id = e.room ?? e.message?.room;
      if (!id) return;
      this.#changedRoom(id);
      if (e.message) this.#stopped(id, e.message.account);
    });
    live.on('writing', (e) => e.room && e.person && this.#wrote(e.room, e.person, e.on === true));
    live.on('here', (e) => {
      const hit = this.list.find((r) => r.kind === 'pair' && r.account === e.person);
      if (hit) this.put({ ...hit, here: e.on === true });
    });
  }

  get(id: string): Room | undefined {
    const room = this.#all.get(id);
    return room && named(room);
  }

  /** The conversation of two with somebody, if there is one. */
  withAccount(account: string): Room | undefined {
    return this.list.find((r) => r.kind === 'pair' && r.account === account);
  }

  /** The accounts that write in a room at this moment. */
  writing(id: string): string[] {
    return [...(this.#writing.get(id) ?? [])];
  }

  /** forgetAll: the door was closed, and nothing of what is behind it stays in the window. */
  forgetAll(): void {
    this.#all = new Map();
    this.#writing.clear();
    this.loaded = false;
  }

  async load(): Promise<void> {
    const list = await loadRooms();
    this.#all = new Map(list.map((r) => [r.id, r]));
    this.loaded = true;
  }

  put(room: Room): void {
    this.#all = new Map(this.#all).set(room.id, room);
  }

  /** The last room that was asked for and is not there. */
  missing = $state<string | undefined>();

  /** find asks for one that is not in the list: an archived one, or one that is new. */
  async find(id: string): Promise<void> {
    try {
      this.put(await loadRoom(id));
    } catch (err) {
      if (!(err instanceof Refused)) throw err;
      this.missing = id;
    }
  }

  forget(id: string): void {
    const all = new Map(this.#all);
    all.delete(id);
    this.#all = all;
  }

  /** mark changes what a room is to this person. It shows at once. */
  async mark(id: string, change: RoomMine): Promise<void> {
    const before = this.#all.get(id);
    if (before) {
      const { muted_until, ...rest } = change;
      const muted = muted_until === undefined ? {} : { muted_until, muted: muted_until === -1 || muted_until > Date.now() };
      this.put({ ...before, ...rest, ...muted } as Room);
    }
    try {
      this.put(await markRoom(id, change));
    } catch (err) {
      if (before) this.put(before);
      throw err;
    }
  }

  /** A room was read through here: the count shows it before the app says so. */
  seen(id: string): void {
    const r = this.#all.get(id);
    if (r && (r.unread || r.mark_unread)) this.put({ ...r, unread: 0, mentions: 0, mark_unread: false });
  }

  #changedRoom(id: string): void {
    this.#changed.add(id);
    this.#timer ??= setTimeout(() => void this.#loadChanged(), gather);
  }

  async #loadChanged(): Promise<void> {
    this.#timer = undefined;
    const ids = [...this.#changed];
    this.#changed.clear();
    try {
      if (ids.length >= many) return await this.load();
      const found = await Promise.all(ids.map((id) => loadRoom(id).catch((err: unknown) => (err instanceof Refused && err.status === 404 ? id : Promise.reject(err)))));
      const all = new Map(this.#all);
      for (const r of found) {
        if (typeof r === 'string') all.delete(r);
        else all.set(r.id, r);
      }
      this.#all = all;
    } catch (err) {
      if (!(err instanceof Refused)) throw err;
      // away or locked: the whole list is loaded with the next hello
    }
  }

  #wrote(room: string, account: string, on: boolean): void {
    if (!on) return this.#stopped(room, account);
    let set = this.#writing.get(room);
    if (!set) this.#writing.set(room, (set = new SvelteSet()));
    set.add(account);
    const key = room + account;
    clearTimeout(this.#timers.get(key));
    this.#timers.set(key, setTimeout(() => this.#stopped(room, account), writingLasts));
  }

  #stopped(room: string, account: string): void {
    const key = room + account;
    clearTimeout(this.#timers.get(key));
    this.#timers.delete(key);
    this.#writing.get(room)?.delete(account);
  }
}

export const rooms = new Rooms();
