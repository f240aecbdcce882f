// German, whole.

import type { English } from './en';
import { de as pages } from './pages/de';
import type { Same } from './types';

export const de: Same<English> = {
  ...pages,
  'app.search': 'Alles durchsuchen',
};
