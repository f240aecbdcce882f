// What stands in the stream: messages in runs, with days, the line of what is unread, and
// sotto's own remarks between them.

import type { Message } from '../api/types';
import { sameDay } from '../lib/when';

/** A pause of so many milliseconds ends a run. */
const runPause = 5 * 60_000;

export type Row =
  | { kind: 'day'; key: string; time: number }
  | { kind: 'unread'; key: string }
  | { kind: 'event'; key: string; message: Message }
  | {
      kind: 'message';
      key: string;
      message: Message;
      /** nothing of the same run stands above, or below */
      first: boolean;
      last: boolean;
    };

/** Whether b goes on with a's run. */
function together(a: Message, b: Message): boolean {
  return (
    a.kind !== 'event' && b.kind !== 'event' && a.account === b.account && a.own === b.own &&
    Math.abs(b.sent - a.sent) < runPause && sameDay(a.sent, b.sent) && !alone(a) && !alone(b)
  );
}

/** A message whose state has to be said under itself. */
function alone(m: Message): boolean {
  return m.state === 'failed' || m.state === 'expired' || m.deleted === true;
}

/** rows lays messages out, oldest first. firstUnread: the message above which "new" stands. */
export function rows(messages: readonly Message[], firstUnread: string | undefined): Row[] {
  const out: Row[] = [];
  for (let i = 0; i < messages.length; i++) {
    const m = messages[i] as Message;
    const before = messages[i - 1];
    const after = messages[i + 1];
    if (!before || !sameDay(before.sent, m.sent)) out.push({ kind: 'day', key: `day-${m.id}`, time: m.sent });
    const unread = m.id === firstUnread;
    if (unread) out.push({ kind: 'unread', key: 'unread' });
    if (m.kind === 'event') out.push({ kind: 'event', key: m.id, message: m });
    else {
      out.push({
        kind: 'message',
        key: m.id,
        message: m,
        first: unread || !before || !together(before, m),
        last: !after || after.id === firstUnread || !together(m, after),
      });
    }
  }
  return out;
}

/** again gives the old row back where it would look the same, so that nothing is drawn anew. */
export function again(old: readonly Row[], now: Row[]): Row[] {
  const known = new Map(old.map((r) => [r.key, r]));
  return now.map((r) => {
    const o = known.get(r.key);
    if (!o || o.kind !== r.kind) return r;
    if (r.kind === 'message' && o.kind === 'message') return o.message === r.message && o.first === r.first && o.last === r.last ? o : r;
    if (r.kind === 'event' && o.kind === 'event') return o.message === r.message ? o : r;
    if (r.kind === 'day' && o.kind === 'day') return o.time === r.time ? o : r;
    return o;
  });
}
