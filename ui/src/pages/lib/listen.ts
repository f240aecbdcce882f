import type { Event, EventType } from '../../api/types';
import { live } from '../../lib/live.svelte';
import { session } from '../../lib/session.svelte';

/**
 * listen calls f for events of some types that fit, and whenever everything has to be
 * loaded again. Answers what ends that.
 */
export function listen(types: EventType[], f: () => void, fits: (e: Event) => boolean = () => true): () => void {
  const ends = types.map((type) => live.on(type, (e) => { if (fits(e)) f(); }));
  ends.push(session.onReload(f));
  return () => { for (const end of ends) end(); };
}
