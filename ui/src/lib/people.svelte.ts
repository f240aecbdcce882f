// The people this device knows, by account.

import { SvelteMap } from 'svelte/reactivity';
import { people as loadPeople, person as loadPerson } from '../api/calls';
import type { Person } from '../api/types';
import { live } from './live.svelte';
import { session } from './session.svelte';

class People {
  #all = new SvelteMap<string, Person>();
  #loaded: Promise<void> | undefined;

  constructor() {
    live.on('person', (e) => {
      if (e.person && this.#loaded && e.person !== session.self?.account) void this.refresh(e.person);
    });
    // Whom one began to write with since the list was asked for.
    live.on('room', (e) => {
      const account = e.row?.kind === 'pair' ? e.row.account : undefined;
      if (account && this.#loaded && !this.#all.has(account)) void this.refresh(account);
    });
    live.on('here', (e) => {
      const p = e.person && this.#all.get(e.person);
      if (p) this.#all.set(p.account, { ...p, here: e.on === true });
    });
  }

  /** The contacts, by name. */
  get contacts(): Person[] {
    return this.list.filter((p) => p.contact && !p.blocked);
  }

  get list(): Person[] {
    return [...this.#all.values()].sort((a, b) => a.name.localeCompare(b.name));
  }

  get(account: string): Person | undefined {
    return this.#all.get(account);
  }

  /** load asks for everybody, once; again loads anew. */
  load(again = false): Promise<void> {
    if (again) this.#loaded = undefined;
    return (this.#loaded ??= loadPeople().then((all) => {
      this.#all.clear();
      for (const p of all) this.#all.set(p.account, p);
    }));
  }

  /** forget: the door was closed. */
  forget(): void {
    this.#all.clear();
    this.#loaded = undefined;
  }

  async refresh(account: string): Promise<void> {
    const p = await loadPerson(account).catch(() => undefined);
    if (p && (p.contact || p.blocked || this.#all.has(account))) this.#all.set(account, p);
  }
}

export const people = new People();
