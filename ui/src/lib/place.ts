// Where one is, and its address. Addresses are plain paths: the app answers index.html for
// every path that is no file. An unknown address is the list of conversations.

/** The sections of "You", in the order of their index. */
export const sections = ['profile', 'devices', 'privacy', 'notices', 'calls', 'appearance', 'storage', 'server', 'people', 'account'] as const;
export type Section = (typeof sections)[number];

export type Place =
  | { at: 'talk' }
  | { at: 'room'; room: string; message?: string }
  | { at: 'about'; room: string } // everything about a conversation: members, links, role
  | { at: 'to'; handle: string } // nobody has written yet
  | { at: 'new'; group: boolean } // a new conversation, or a group
  | { at: 'join'; link: string } // an invitation that was opened
  | { at: 'requests'; account?: string }
  | { at: 'person'; account: string }
  | { at: 'compare'; account: string }
  | { at: 'who'; about: 'message' | 'room' | 'person'; id: string }
  | { at: 'search'; text: string; room?: string; from?: string; after?: number; before?: number; starred?: boolean }
  | { at: 'archive' }
  | { at: 'calls' }
  | { at: 'files' }
  | { at: 'you'; section?: Section };

export type At = Place['at'];

/** What an id may be: lower-case hexadecimal, as the interface makes it. */
const id = /^[0-9a-f]{1,128}$/;

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

function time(value: string | null): number | undefined {
  const n = Number(value);
  return value && Number.isSafeInteger(n) && n > 0 ? n : undefined;
}

/** parse reads an address: a path and a query. Whatever it does not know is the list. */
export function parse(path: string, query = ''): Place {
  const parts = path.split('/').filter((p) => p !== '');
  const [first, second, third] = parts;
  const q = new URLSearchParams(query);
  if (parts.length > 3) return { at: 'talk' };
  switch (first) {
    case 'r':
      if (!second || !id.test(second)) break;
      if (third === 'about') return { at: 'about', room: second };
      if (third === undefined) return { at: 'room', room: second };
      if (id.test(third)) return { at: 'room', room: second, message: third };
      break;
    case 'to': {
      const handle = second && decoded(second);
      if (handle && handle.length <= 320) return { at: 'to', handle };
      break;
    }
    case 'new':
      return { at: 'new', group: second === 'group' };
    case 'join': {
      const link = q.get('link');
      if (link) return { at: 'join', link };
      break;
    }
    case 'requests':
      return second && id.test(second) ? { at: 'requests', account: second } : { at: 'requests' };
    case 'people':
      if (!second) return { at: 'you', section: 'people' };
      if (!id.test(second)) break;
      return third === 'compare' ? { at: 'compare', account: second } : { at: 'person', account: second };
    case 'who':
      if ((second === 'message' || second === 'room' || second === 'person') && third && id.test(third)) {
        return { at: 'who', about: second, id: third };
      }
      break;
    case 'search': {
      const place: Place = { at: 'search', text: q.get('q') ?? '' };
      const room = q.get('room');
      const from = q.get('from');
      if (room && id.test(room)) place.room = room;
      if (from && (from === 'me' || id.test(from))) place.from = from;
      place.after = time(q.get('after'));
      place.before = time(q.get('before'));
      if (q.get('starred') === '1') place.starred = true;
      return place;
    }
    case 'archive':
    case 'calls':
    case 'files':
      return { at: first };
    case 'you': {
      const section = sections.find((s) => s === second);
      return section ? { at: 'you', section } : { at: 'you' };
    }
  }
  return { at: 'talk' };
}

/** href is the address of a place: parse(href(p)) is p. */
export function href(p: Place): string {
  switch (p.at) {
    case 'talk':
      return '/';
    case 'room':
      return p.message ? `/r/${p.room}/${p.message}` : `/r/${p.room}`;
    case 'about':
      return `/r/${p.room}/about`;
    case 'to':
      return `/to/${encodeURIComponent(p.handle)}`;
    case 'new':
      return p.group ? '/new/group' : '/new';
    case 'join':
      return `/join?${new URLSearchParams({ link: p.link })}`;
    case 'requests':
      return p.account ? `/requests/${p.account}` : '/requests';
    case 'person':
      return `/people/${p.account}`;
    case 'compare':
      return `/people/${p.account}/compare`;
    case 'who':
      return `/who/${p.about}/${p.id}`;
    case 'search': {
      const q = new URLSearchParams();
      if (p.text) q.set('q', p.text);
      if (p.room) q.set('room', p.room);
      if (p.from) q.set('from', p.from);
      if (p.after) q.set('after', String(p.after));
      if (p.before) q.set('before', String(p.before));
      if (p.starred) q.set('starred', '1');
      const text = q.toString();
      return text ? `/search?${text}` : '/search';
    }
    case 'archive':
    case 'calls':
    case 'files':
      return `/${p.at}`;
    case 'you':
      return p.section ? `/you/${p.section}` : '/you';
  }
}

/** The one-time token of an opening address, #open=TOKEN. */
export function openingToken(hash: string): string | undefined {
  return new URLSearchParams(hash.replace(/^#/, '')).get('open') ?? undefined;
}
