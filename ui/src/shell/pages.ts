// The screens beside the list, each in a chunk of its own. A page gets the place it is for.

import type { Component } from 'svelte';
import type { At, Place } from '../lib/place';

export type Page<A extends At = At> = Component<{ place: Extract<Place, { at: A }> }>;

type Loader<A extends At> = () => Promise<{ default: Page<A> }>;

/** Which screen a place is; those that are missing here are the shell's own. */
export const pages: { [A in At]?: Loader<A> } = {
  about: () => import('../pages/about/AboutPage.svelte'),
  to: () => import('../talk/To.svelte'),
  new: () => import('../pages/new/NewPage.svelte'),
  join: () => import('../pages/join/JoinPage.svelte'),
  requests: () => import('../pages/requests/RequestsPage.svelte'),
  person: () => import('../pages/person/PersonPage.svelte'),
  compare: () => import('../pages/person/ComparePage.svelte'),
  who: () => import('../pages/who/WhoPage.svelte'),
  search: () => import('../pages/search/SearchPage.svelte'),
  archive: () => import('./Archive.svelte'),
  you: () => import('../pages/you/YouPage.svelte'),
};
