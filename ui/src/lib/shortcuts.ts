// Keys that work everywhere in the window. What depends on the conversation that is shown
// is provided by it; none of them is one that browsers keep for themselves.

export interface Here {
  find(): void;
  attach(): void;
  record(): void;
  call(): void;
  video(): void;
  /** The parts that F6 goes around, beside the list. */
  parts(): HTMLElement[];
  /** Whether Escape closed something. */
  escape(): boolean;
}

let here: Here | undefined;

export const shortcuts = {
  provide(h: Here): () => void {
    here = h;
    return () => {
      if (here === h) here = undefined;
    };
  },
  get here(): Here | undefined {
    return here;
  },
};

/** Where a key writes something. */
const fields = 'input:not([type=checkbox], [type=radio], [type=button], [type=submit], [type=range], [type=color], [type=file]), textarea, select, [contenteditable]';

/** Whether a key pressed there would write something. */
export function writes(target: EventTarget | null): boolean {
  return (target as Partial<Element> | null)?.matches?.(fields) ?? false;
}

export type Command = 'find-all' | 'new' | 'previous' | 'next' | 'unread' | 'attach' | 'record' | 'call' | 'video' | 'find' | 'list' | 'ring' | 'ring-back' | 'escape';

/** What a key means; on a Mac Command stands for Ctrl and Control Option for Alt. */
export function command(e: KeyboardEvent, mac: boolean): Command | undefined {
  const ctrl = mac ? e.metaKey && !e.ctrlKey : e.ctrlKey && !e.metaKey;
  const alt = mac ? e.altKey && e.ctrlKey && !e.metaKey : e.altKey && !e.ctrlKey && !e.metaKey;
  const plain = !e.ctrlKey && !e.metaKey && !e.altKey;
  if (ctrl && !e.altKey && !e.shiftKey) {
    if (e.code === 'KeyK') return 'find-all';
    if (e.code === 'KeyF') return 'find';
  }
  if (alt) {
    if (e.code === 'ArrowUp' && !e.shiftKey) return 'previous';
    if (e.code === 'ArrowDown') return e.shiftKey ? 'unread' : 'next';
    if (e.code === 'KeyN' && !e.shiftKey) return 'new';
    if (e.code === 'KeyA' && !e.shiftKey) return 'attach';
    if (e.code === 'KeyR' && !e.shiftKey) return 'record';
    if (e.code === 'KeyC') return e.shiftKey ? 'video' : 'call';
  }
  if (e.key === 'F6' && !e.altKey && !e.ctrlKey && !e.metaKey) return e.shiftKey ? 'ring-back' : 'ring';
  if (plain && e.key === 'Escape') return 'escape';
  if (plain && e.key === '?' && !writes(e.target)) return 'list';
  return undefined;
}
