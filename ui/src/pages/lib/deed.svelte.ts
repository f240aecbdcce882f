import { Refused } from '../../api/request';

/** Something that a page does: under way, done, or refused. One at a time. */
export class Deed {
  busy = $state(false);
  failed = $state<Refused>();

  /** run does it, unless another is under way, and says whether it was done. */
  async run(what: () => Promise<unknown>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.failed = undefined;
    try {
      await what();
      return true;
    } catch (err) {
      if (!(err instanceof Refused)) throw err;
      this.failed = err;
      return false;
    } finally {
      this.busy = false;
    }
  }
}
