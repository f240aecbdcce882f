import type { Same } from '../types';
import type { en } from './en';

export const de: Same<typeof en> = {};
