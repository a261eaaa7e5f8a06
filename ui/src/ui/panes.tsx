import { type KeyboardEvent, type PointerEvent, type ReactNode, useRef, useState } from 'react';
import { cx } from '@/lib/cx';
import { readStored, writeStored } from '@/lib/use-stored';

export interface Pane {
  key: string;
  label: string;
  /** Share of the width at first; the shares need not add up to one. */
  share: number;
  /** Never narrower than this, in pixels. */
  min: number;
  content: ReactNode;
}

interface Props {
  /** Under which name the widths are remembered. */
  name: string;
  panes: readonly Pane[];
  className?: string;
}

const step = 0.02;

/**
 * Panes side by side with movable splitters (ARIA window splitter pattern): drag, or focus one and use the arrow
 * keys, Home and End; Enter or a double click goes back to the first widths.
 */
export function Panes({ name, panes, className }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const initial = normalise(panes.map((p) => p.share));
  const [shares, setShares] = useState(() => restore(name, initial));

  const keep = (next: readonly number[]) => {
    setShares(next);
    writeStored(`panes-${name}`, next.map((s) => s.toFixed(4)).join(' '));
  };
  /** Moves the splitter after pane `n` by a share of the whole width, as far as both neighbours allow. */
  const move = (n: number, by: number) => {
    const width = box.current?.clientWidth ?? 0;
    const left = shares[n] ?? 0;
    const right = shares[n + 1] ?? 0;
    if (width === 0) return;
    const least = (pane?: Pane) => (pane ? pane.min / width : 0);
    const low = Math.min(0, least(panes[n]) - left);
    const high = Math.max(0, right - least(panes[n + 1]));
    const shift = Math.max(low, Math.min(high, by));
    keep(shares.map((s, i) => (i === n ? s + shift : i === n + 1 ? s - shift : s)));
  };

  return (
    <div ref={box} className={cx('flex min-h-0 min-w-0', className)}>
      {panes.map((pane, n) => (
        <div key={pane.key} className="contents">
          <div className="flex min-h-0 min-w-0 flex-col" style={{ flex: `${shares[n] ?? 0} 1 0`, minWidth: pane.min }}>
            {pane.content}
          </div>
          {n < panes.length - 1 && (
            <Splitter
              label={`Width of ${pane.label}`}
              value={shares[n] ?? 0}
              onMove={(by) => move(n, by)}
              onReset={() => keep(initial)}
              width={() => box.current?.clientWidth ?? 1}
            />
          )}
        </div>
      ))}
    </div>
  );
}

interface SplitterProps {
  label: string;
  value: number;
  onMove: (by: number) => void;
  onReset: () => void;
  width: () => number;
}

function Splitter({ label, value, onMove, onReset, width }: SplitterProps) {
  const from = useRef<number | undefined>(undefined);
  const onKeyDown = (e: KeyboardEvent) => {
    const by = { ArrowLeft: -step, ArrowRight: step, Home: -1, End: 1 }[e.key];
    if (by !== undefined) onMove(by);
    else if (e.key === 'Enter') onReset();
    else return;
    e.preventDefault();
  };
  const onPointerDown = (e: PointerEvent<HTMLElement>) => {
    e.currentTarget.setPointerCapture(e.pointerId);
    from.current = e.clientX;
  };
  const onPointerMove = (e: PointerEvent) => {
    if (from.current === undefined) return;
    onMove((e.clientX - from.current) / width());
    from.current = e.clientX;
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: an hr cannot be moved; this is the ARIA window splitter
    <div
      role="separator"
      aria-orientation="vertical"
      aria-label={label}
      aria-valuenow={Math.round(value * 100)}
      aria-valuemin={0}
      aria-valuemax={100}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onDoubleClick={onReset}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={() => {
        from.current = undefined;
      }}
      className="relative z-10 w-px shrink-0 cursor-col-resize touch-none bg-line before:absolute before:inset-y-0 before:-inset-x-1.5 before:content-[''] hover:bg-accent focus-visible:bg-accent"
    />
  );
}

function normalise(shares: readonly number[]): number[] {
  const sum = shares.reduce((a, b) => a + b, 0) || 1;
  return shares.map((s) => s / sum);
}

function restore(name: string, initial: readonly number[]): readonly number[] {
  const stored = readStored(`panes-${name}`)?.split(' ').map(Number);
  const usable = stored?.length === initial.length && stored.every((s) => Number.isFinite(s) && s > 0);
  return usable ? normalise(stored) : initial;
}
