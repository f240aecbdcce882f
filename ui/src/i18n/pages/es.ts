// To be whole before this lands.
import type { Same } from '../types';
import { en } from './en';

export const es: Same<typeof en> = en;
