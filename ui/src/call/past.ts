// What is said of a call that is over.

import type { Call } from '../api/types';
import type { Key } from '../i18n/en';

/** Somebody called, and nobody here talked to them. */
export function missed(c: Call): boolean {
  return !c.outgoing && !c.answered && (c.end === 'missed' || c.end === 'busy' || c.end === 'failed' || c.end === 'hung_up');
}

/** outcome is the text of how it went. */
export function outcome(c: Call): Key & `calls.${string}` {
  if (c.end === 'elsewhere') return 'calls.elsewhere';
  if (c.answered) return c.outgoing ? 'calls.out' : 'calls.in';
  if (missed(c)) return 'calls.missed';
  switch (c.end) {
    case 'declined':
      return 'calls.declined';
    case 'busy':
      return 'calls.busy';
    case 'failed':
      return 'calls.failed';
    default:
      return 'calls.noanswer';
  }
}
