// Spanish, whole.

import type { English } from './en';
import { es as pages } from './pages/es';
import type { Same } from './types';

export const es: Same<English> = {
  ...pages,
  'app.search': 'Buscar en todo',
};
