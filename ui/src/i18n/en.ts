// English: the measure for the other languages. Short sentences, everyday verbs, no
// exclamation marks; sotto is lower case, also at the start.

import { en as pages } from './pages/en';

const talk = {
  'app.search': 'Search everything',
} as const;

export const en = { ...talk, ...pages } as const;
export type English = typeof en;
export type Key = keyof English;
