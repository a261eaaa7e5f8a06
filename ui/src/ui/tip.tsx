import { Tooltip } from '@base-ui/react/tooltip';
import type { ReactElement, ReactNode } from 'react';
import { Kbd } from './kbd';
import { useLayerRoot } from './layer-root';

interface Props {
  text: ReactNode;
  shortcut?: string;
  children: ReactElement<Record<string, unknown>>;
  side?: 'top' | 'right' | 'bottom' | 'left';
}

/** A tooltip on hover and focus. It repeats or refines; nothing is said only here. */
export function Tip({ text, shortcut, children, side = 'bottom' }: Props) {
  const root = useLayerRoot();
  return (
    <Tooltip.Root>
      <Tooltip.Trigger render={children} />
      <Tooltip.Portal container={root}>
        <Tooltip.Positioner sideOffset={6} side={side} className="z-60">
          <Tooltip.Popup className="flex max-w-72 items-center gap-2 rounded-md bg-fg px-2 py-1 text-label text-bg shadow-pop">
            {text}
            {shortcut && <Kbd keys={shortcut} />}
          </Tooltip.Popup>
        </Tooltip.Positioner>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}
