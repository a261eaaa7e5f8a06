import { LoaderCircle } from 'lucide-react';
import type { ComponentProps } from 'react';
import { cx } from '@/lib/cx';

export type Intent = 'primary' | 'outline' | 'ghost' | 'danger';
type Size = 'md' | 'sm' | 'lg';

const base =
  'inline-flex shrink-0 items-center justify-center gap-1.5 rounded-md border text-control font-medium whitespace-nowrap select-none transition-colors duration-100 aria-disabled:cursor-default';
const intents: Record<Intent, string> = {
  primary: 'border-transparent bg-accent text-accent-fg hover:bg-accent-hover',
  outline: 'border-edge/60 bg-surface hover:bg-raised',
  ghost: 'border-transparent text-muted hover:bg-raised hover:text-fg',
  danger: 'border-bad text-bad hover:bg-bad-soft',
};
const sizes: Record<Size, string> = {
  sm: 'h-7 px-2.5 pointer-coarse:h-11',
  md: 'h-8 px-3 pointer-coarse:h-11',
  lg: 'h-10 px-4 pointer-coarse:h-11',
};

/** The look of a button, for links that act like one. */
export function buttonClass(intent: Intent = 'outline', size: Size = 'md', className?: string): string {
  return cx(base, intents[intent], sizes[size], className);
}

export interface ButtonProps extends ComponentProps<'button'> {
  intent?: Intent;
  size?: Size;
  /** Work is under way: the button keeps its focus and its words but does nothing. */
  pending?: boolean;
}

export function Button({ intent, size, pending, className, type = 'button', children, onClick, ...rest }: ButtonProps) {
  return (
    <button
      type={type}
      className={buttonClass(intent, size, className)}
      aria-disabled={pending || undefined}
      aria-busy={pending || undefined}
      onClick={(e) => {
        if (pending) e.preventDefault();
        else onClick?.(e);
      }}
      {...rest}
    >
      {pending && <LoaderCircle aria-hidden className="animate-spin" />}
      {children}
    </button>
  );
}
