// The index of "You": its sections in order, with what else they are found by.

import { t } from '../../i18n/i18n.svelte';
import { sections, type Section } from '../../lib/place';
import type { IconName } from '../../parts/icons';

export interface Entry {
  section: Section;
  name: string;
  also: string;
  icon: IconName;
}

const icons: Record<Section, IconName> = {
  profile: 'you', devices: 'laptop', privacy: 'eye', notices: 'bell', calls: 'phone', appearance: 'sun',
  storage: 'files', server: 'server', people: 'talk', account: 'info',
};

/** index is the sections in the language of the moment. */
export function index(): Entry[] {
  return sections.map((section) => ({ section, name: t(`you.${section}`), also: t(`you.${section}.also`), icon: icons[section] }));
}
