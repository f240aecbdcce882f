/** What a person does is told at most once in so many milliseconds. */
export const often = 30_000;

/** Used remembers that the person did something, until the app has been told. */
export class Used {
  #since = false;
  #told = -Infinity;

  /** did notes that they do something now, and says whether that is to be told at once. */
  did(now: number): boolean {
    this.#since = true;
    return now - this.#told >= often;
  }

  /** tell says whether they did something since the last time: what is told now. */
  tell(now: number): boolean {
    const used = this.#since;
    this.#since = false;
    if (used) this.#told = now;
    return used;
  }
}

/** onUse calls f whenever the person does something in this window: points, types, scrolls, touches. */
export function onUse(f: () => void): void {
  let at: string | undefined;
  const did = (e: Event): void => {
    if (e.isTrusted) f();
  };
  for (const type of ['pointerdown', 'keydown', 'wheel', 'touchmove']) addEventListener(type, did, { capture: true, passive: true });
  // What moves under a pointer that lies still is no use.
  addEventListener('pointermove', (e) => {
    const now = `${e.screenX} ${e.screenY}`;
    if (at !== undefined && at !== now) did(e);
    at = now;
  }, { capture: true, passive: true });
}
