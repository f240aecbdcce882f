import type { Same } from '../types';
import type { en } from './en';

export const es: Same<typeof en> = {};
