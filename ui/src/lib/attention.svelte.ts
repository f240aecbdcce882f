// What calls for attention when a message comes: a quiet tone, a notification of the
// browser, the count in the window's title. Nothing of it for one's own messages, for what
// one is looking at, and for muted conversations that name nobody.

import type { Message, Room } from '../api/types';
import { t } from '../i18n/i18n.svelte';
import { plain } from '../text/markdown';
import { isolated } from '../text/hygiene';
import { live } from './live.svelte';
import { rooms } from './rooms.svelte';
import { router } from './router.svelte';
import { session } from './session.svelte';
import { settings } from './settings.svelte';
import { notifies, ui } from './ui.svelte';

/** Tones come at most so often, in milliseconds: a burst of messages is one sound. */
const quiet = 1_500;

let context: AudioContext | undefined;
let soundAt = 0;

/** tone is two short sines, the second a fourth lower: a sound in a low voice. */
export function tone(): void {
  const now = Date.now();
  // Browsers let no page sound that nobody has touched yet.
  if (now - soundAt < quiet || navigator.userActivation?.hasBeenActive === false) return;
  soundAt = now;
  try {
    context ??= new AudioContext();
    if (context.state === 'suspended') void context.resume();
    const at = context.currentTime + 0.02;
    for (const [i, hertz] of [587.33, 440].entries()) {
      const sine = context.createOscillator();
      const gain = context.createGain();
      sine.frequency.value = hertz;
      gain.gain.setValueAtTime(0, at + i * 0.12);
      gain.gain.linearRampToValueAtTime(0.05, at + i * 0.12 + 0.02);
      gain.gain.exponentialRampToValueAtTime(0.0001, at + i * 0.12 + 0.32);
      sine.connect(gain).connect(context.destination);
      sine.start(at + i * 0.12);
      sine.stop(at + i * 0.12 + 0.35);
    }
  } catch {
    // no sound on this machine
  }
}

/** worth says whether a message calls for attention at all. */
export function worth(m: Message, room: Room | undefined, shown: string | undefined, looking: boolean): boolean {
  if (m.own || m.seen || m.kind === 'event' || m.deleted) return false;
  if (looking && shown === m.room) return false;
  return !room?.muted || m.mentions === true;
}

const open = new Map<string, Notification>();

function notify(m: Message, room: Room | undefined): void {
  const how = settings.now.notify;
  if (how === 'off' || ui.looking || !notifies()) return;
  const where = room?.kind === 'group' ? t('notify.in', { name: m.name, room: room.name }) : isolated(m.name);
  const title = how === 'plain' ? 'sotto' : where;
  const body = how === 'text' ? plain(m.text, 180) : t('notify.plain');
  open.get(m.room)?.close();
  const n = new Notification(title, { body, tag: m.room, icon: '/mark.svg', silent: true });
  open.set(m.room, n);
  n.onclick = () => {
    window.focus();
    router.go({ at: 'room', room: m.room });
    n.close();
  };
  n.onclose = () => open.delete(m.room);
}

/** The count stands before whatever the title is. */
function badge(n: number): void {
  const bare = document.title.replace(/^\(\d+\+?\) /, '');
  const title = n > 0 ? `(${n > 99 ? '99+' : n}) ${bare}` : bare;
  if (title !== document.title) document.title = title;
}

/** start listens, until the window is closed. Called once. */
export function attend(): void {
  live.on('message', (e) => {
    const m = e.message;
    if (!m) return;
    const room = rooms.get(m.room);
    const place = router.place;
    if (!worth(m, room, place.at === 'room' ? place.room : undefined, ui.looking)) return;
    if (settings.now.sounds) tone();
    notify(m, room);
  });
  $effect.root(() => {
    const count = (): number => (session.stage === 'open' ? rooms.unread : 0);
    $effect(() => badge(count()));
    // Pages set the title themselves: the count is put before it again.
    const head = new MutationObserver(() => badge(count()));
    head.observe(document.head, { subtree: true, childList: true, characterData: true });
    $effect(() => {
      if (ui.looking && router.place.at === 'room') open.get(router.place.room)?.close();
    });
  });
}
