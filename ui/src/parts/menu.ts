import type { IconName } from './icons';

/** One choice of a Menu. */
export interface MenuItem {
  text: string;
  hint?: string;
  icon?: IconName;
  /** The shortcut that does the same, shown only. */
  keys?: string;
  danger?: boolean;
  disabled?: boolean;
  /** Given: the choice is one of several, and this tells whether it is the one. */
  checked?: boolean;
  /** A line stands before it. */
  apart?: boolean;
  onselect?: () => void;
}
