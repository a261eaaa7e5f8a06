import { clsx } from 'clsx';

/** Class names from parts, some of them conditional. */
export const cx = clsx;
