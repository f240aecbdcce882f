/** What is told in passing, at the bottom of the window. */
export interface Toast {
  id: number;
  text: string;
  /** What the button is called, and does. */
  action?: { text: string; run: () => void };
}

/** How long a toast stays, in milliseconds, while nothing holds it. */
export const TOAST_STAYS = 6000;

let next = 1;

/** The toasts that are shown, oldest first; at most three. */
export const toasts = $state<Toast[]>([]);

/** Tells something in passing. Answers what takes it back before its time. */
export function toast(text: string, action?: Toast['action']): () => void {
  const id = next++;
  toasts.push({ id, text, action });
  if (toasts.length > 3) toasts.shift();
  return () => dismiss(id);
}

/** Takes a toast away. */
export function dismiss(id: number): void {
  const i = toasts.findIndex((t) => t.id === id);
  if (i >= 0) toasts.splice(i, 1);
}
