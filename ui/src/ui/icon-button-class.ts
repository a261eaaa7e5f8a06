import { cx } from '@/lib/cx';

export const iconButtonClass = (size: 'md' | 'sm' = 'md', className?: string): string =>
  cx(
    'inline-grid shrink-0 place-items-center rounded-md text-muted hover:bg-raised hover:text-fg transition-colors duration-100 pointer-coarse:size-11',
    size === 'md' ? 'size-8' : 'size-7',
    className,
  );
