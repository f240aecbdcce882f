// Where the window is. Places change by links (a click on any <a href="/…"> is taken), by
// router.go, and by the browser's back and forward.

import { href, openingToken, parse, type Place } from './place';

class Router {
  place = $state.raw<Place>({ at: 'talk' });
  /** How many places of this window lie behind: back stays inside the app. */
  #depth = 0;

  /**
   * start reads the address. It returns the one-time token that sotto was opened with and
   * takes it out of the address and the history at once.
   */
  start(): string | undefined {
    const token = openingToken(location.hash);
    if (location.hash) history.replaceState(history.state, '', location.pathname + location.search);
    this.#read();
    addEventListener('popstate', () => {
      this.#depth = Math.max(0, this.#depth - 1);
      this.#read();
    });
    document.addEventListener('click', (e) => this.#click(e));
    return token;
  }

  go(place: Place, replace = false): void {
    const to = href(place);
    if (to === location.pathname + location.search) replace = true;
    if (replace) history.replaceState(null, '', to);
    else {
      history.pushState(null, '', to);
      this.#depth++;
    }
    this.place = place;
  }

  /** back goes to where one came from in this window, else to the given place. */
  back(otherwise: Place = { at: 'talk' }): void {
    if (this.#depth > 0) history.back();
    else this.go(otherwise, true);
  }

  #read(): void {
    this.place = parse(location.pathname, location.search);
  }

  #click(e: MouseEvent): void {
    if (e.defaultPrevented || e.button !== 0 || e.ctrlKey || e.metaKey || e.shiftKey || e.altKey) return;
    const a = (e.target as Element | null)?.closest?.('a[href]');
    if (!(a instanceof HTMLAnchorElement) || a.target || a.hasAttribute('download')) return;
    const to = new URL(a.href);
    if (to.origin !== location.origin || to.pathname.startsWith('/api/')) return;
    e.preventDefault();
    this.go(parse(to.pathname, to.search));
  }
}

export const router = new Router();
export { href };
