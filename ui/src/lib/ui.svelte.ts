// The window itself: its width, whether it is looked at, which layer is open.

import { setWindow } from '../api/calls';
import { i18n } from '../i18n/i18n.svelte';
import { onUse, Used } from './used';
import { untilMidnight } from './when';

/** The frames of the layout: one pane, two, two with room beside the conversation. */
export type Width = 'narrow' | 'middle' | 'wide' | 'widest';

const mac = /^(Mac|iP)/.test(navigator.platform);

/** notifies says whether this window may show notifications of the browser. */
export const notifies = (): boolean => 'Notification' in globalThis && Notification.permission === 'granted';

class UI {
  width = $state<Width>('wide');
  /** Seen and focused: what is read then counts as read. */
  looking = $state(false);
  /** The day on the wall: moves at midnight, so that "Mon" becomes right by itself. */
  now = $state(Date.now());
  /** The list of shortcuts is open. */
  shortcuts = $state(false);
  /** The details beside the conversation are open, where there is room. */
  details = $state(false);
  readonly mac = mac;
  /** The name of this window for the app. */
  readonly name = Array.from(crypto.getRandomValues(new Uint8Array(8)), (b) => b.toString(16).padStart(2, '0')).join('');
  #room: string | undefined;
  #tells = false;
  #used = new Used();

  /** From when on, and until when, the app wants to know what the window shows. */
  tells(on: boolean): void {
    if (on === this.#tells) return;
    this.#tells = on;
    this.#tell();
  }

  start(): void {
    const media = [
      [matchMedia('(max-width: 719px)'), 'narrow'],
      [matchMedia('(max-width: 1079px)'), 'middle'],
      [matchMedia('(max-width: 1439px)'), 'wide'],
    ] as const;
    const measure = (): void => {
      this.width = media.find(([m]) => m.matches)?.[1] ?? 'widest';
    };
    for (const [m] of media) m.addEventListener('change', measure);
    measure();
    const look = (): void => {
      this.looking = !document.hidden && document.hasFocus();
      this.#tell();
    };
    document.addEventListener('visibilitychange', look);
    addEventListener('focus', look);
    addEventListener('blur', look);
    look();
    setInterval(() => (this.looking || notifies()) && this.#tell(), 60_000);
    onUse(() => this.#used.did(Date.now()) && this.#tell());
    const turn = (): void => {
      this.now = Date.now();
      setTimeout(turn, Math.min(untilMidnight(this.now) + 500, 3_600_000));
    };
    turn();
  }

  /** The browser was asked whether this window may show notifications. */
  permitted(): void {
    this.#tell();
  }

  /** shows tells which conversation the window shows. */
  shows(room: string | undefined): void {
    if (room === this.#room) return;
    this.#room = room;
    this.#tell();
  }

  /** The name of a shortcut on this kind of computer. */
  keys(keys: string): string {
    return mac ? keys.replace(/\bCtrl\b/g, '⌘').replace(/\bAlt\b/g, '⌃⌥').replace(/\bShift\b/g, '⇧') : keys;
  }

  #tell(): void {
    if (!this.#tells) return;
    setWindow({ name: this.name, visible: this.looking, room: this.#room, language: i18n.language, used: this.#used.tell(Date.now()), notifies: notifies() }).catch(() => {
      // away: the next change tells again
    });
  }
}

export const ui = new UI();
