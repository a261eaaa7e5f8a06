import type { ReactNode } from 'react';
import { plural } from '@/lib/format';
import { Button } from '@/ui/button';

interface Props {
  count: number;
  /** In the singular: "tool". */
  noun: string;
  onClear: () => void;
  /** What can be done with all of them. */
  children: ReactNode;
}

/** How many rows are selected, and what can be done with them together. */
export function SelectionBar({ count, noun, onClear, children }: Props) {
  return (
    <section
      aria-label={`Selected ${noun}s`}
      className="flex flex-wrap items-center gap-2 rounded-lg border border-accent/40 bg-accent-soft px-4 py-1.5 text-control"
    >
      <span className="mr-auto font-medium tabular-nums">{plural(count, noun)} selected</span>
      {children}
      <Button size="sm" intent="ghost" onClick={onClear}>
        Clear selection
      </Button>
    </section>
  );
}
