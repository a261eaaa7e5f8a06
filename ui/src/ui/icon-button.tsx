import type { ComponentProps, ReactNode } from 'react';
import { iconButtonClass } from './icon-button-class';
import { Tip } from './tip';

interface Props extends Omit<ComponentProps<'button'>, 'children'> {
  label: string;
  icon: ReactNode;
  shortcut?: string;
  size?: 'md' | 'sm';
}

/** Icon-only buttons always carry a name and a tooltip. */
export function IconButton({ label, icon, shortcut, size, className, ...rest }: Props) {
  return (
    <Tip text={label} shortcut={shortcut}>
      <button type="button" aria-label={label} className={iconButtonClass(size, className)} {...rest}>
        {icon}
      </button>
    </Tip>
  );
}
