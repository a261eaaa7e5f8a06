import type { ComponentProps } from 'react';
import { cx } from '@/lib/cx';

/** The look of every control one types or chooses in. */
export const controlClass =
  'w-full min-w-0 rounded-md border border-edge bg-surface text-control placeholder:text-muted aria-invalid:border-bad focus-visible:outline-offset-0 read-only:[&:is(input,textarea)]:bg-raised disabled:bg-raised disabled:text-muted';

const heights = { sm: 'h-7 pointer-coarse:h-11', md: 'h-8 pointer-coarse:h-11', lg: 'h-10 pointer-coarse:h-11' };

export interface InputProps extends Omit<ComponentProps<'input'>, 'size'> {
  mono?: boolean;
  size?: keyof typeof heights;
}

export function Input({ className, mono, size = 'md', ...rest }: InputProps) {
  return <input className={cx(controlClass, heights[size], 'px-2.5', mono && 'font-mono', className)} {...rest} />;
}
