import { t } from '../../i18n/i18n.svelte';
import type { Place } from '../../lib/place';
import type { IconName } from '../../parts/icons';
import { index } from '../you/index';

/** Somewhere to go that is no conversation and nobody. */
export interface Destination {
  name: string;
  /** Other words by which it is found. */
  also?: string;
  place: Place;
  icon: IconName;
}

/** destinations is every page that has a name, in the language of the moment. */
export function destinations(): Destination[] {
  return [
    { name: t('new.title'), place: { at: 'new', group: false }, icon: 'pen' },
    { name: t('group.new'), place: { at: 'new', group: true }, icon: 'talk' },
    { name: t('req.title'), place: { at: 'requests' }, icon: 'mail' },
    { name: t('search.starred.title'), place: { at: 'search', text: '', starred: true }, icon: 'star' },
    ...index().map((s) => ({ name: s.name, also: s.also, place: { at: 'you', section: s.section } as const, icon: s.icon })),
  ];
}
