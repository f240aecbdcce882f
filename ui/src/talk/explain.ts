// A refusal of a call, in a sentence. Everything else that is thrown is a mistake of ours.

import { Refused } from '../api/request';
import { explain as sentence } from '../pages/lib/failure';

export function explain(err: unknown): string {
  if (err instanceof Refused) return sentence(err);
  throw err;
}
