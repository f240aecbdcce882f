// For how long a conversation is muted.

import type { Room } from '../api/types';
import { i18n, t } from '../i18n/i18n.svelte';
import { rooms } from '../lib/rooms.svelte';
import { span } from '../lib/when';
import type { MenuItem } from '../parts/menu';

const hours = [1, 8, 168];

export function muteItems(room: Room, failed: (err: unknown) => void): MenuItem[] {
  const mark = (muted_until: number) => void rooms.mark(room.id, { muted_until }).catch(failed);
  if (room.muted) return [{ text: t('list.unmute'), icon: 'bell', onselect: () => mark(0) }];
  return [
    ...hours.map((h, i): MenuItem => ({ text: t('list.mute', { span: span(i18n.locale, h * 3600) }), icon: 'belloff', apart: i === 0, onselect: () => mark(Date.now() + h * 3_600_000) })),
    { text: t('list.mute.ever'), icon: 'belloff', onselect: () => mark(-1) },
  ];
}
