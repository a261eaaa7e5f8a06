import { type KeyboardEvent, useRef, useState } from 'react';
import type { components } from '@/api/schema';
import { cx } from '@/lib/cx';
import { Button } from '@/ui/button';
import { Card } from '@/ui/card';
import { Input } from '@/ui/input';
import { Notice } from '@/ui/notice';
import { findKinds, type Kind, kinds } from './kinds';

type Driver = components['schemas']['Driver'];

interface Props {
  value: Kind;
  onChange: (kind: Kind) => void;
  /** Which kinds this server reaches; undefined until it said so. */
  drivers: readonly Driver[] | undefined;
  /** Show the chosen kind only, until somebody wants another. */
  folded: boolean;
  error?: string;
}

export function KindCard({ value, onChange, drivers, folded, error }: Props) {
  const [open, setOpen] = useState(!folded);
  const [text, setText] = useState('');
  const driver = drivers?.find((d) => d.db_type === value);
  const { icon: Icon, title } = kinds[value];
  const found = findKinds(text);
  return (
    <Card
      title="Kind"
      actions={
        open ? (
          <Input
            type="search"
            size="sm"
            aria-label="Find a kind"
            placeholder="Find a kind"
            value={text}
            onChange={(e) => setText(e.target.value)}
            onKeyDown={(e) => {
              const [first] = found;
              if (e.key !== 'Enter' || !first) return;
              e.preventDefault();
              onChange(first);
            }}
            className="w-40"
          />
        ) : (
          <Button size="sm" intent="ghost" className="-mr-2.5" onClick={() => setOpen(true)}>
            Change kind
          </Button>
        )
      }
    >
      <div className="grid gap-3">
        {open ? (
          <Tiles found={found} value={value} onChange={onChange} drivers={drivers} />
        ) : (
          <p className="flex items-center gap-2 text-control font-medium">
            <Icon aria-hidden className="text-muted" />
            {title}
          </p>
        )}
        {error && <p className="text-label text-bad">{error}</p>}
        {driver?.available === false && (
          <Notice tone="info" title={`${title} can be stored, not reached yet`}>
            Tests, previews and deploys answer that the kind is not available. {driver.note}
          </Notice>
        )}
      </div>
    </Card>
  );
}

type TilesProps = Pick<Props, 'value' | 'onChange' | 'drivers'> & { found: readonly Kind[] };

/** One tab stop; the arrow keys move between tiles as they are laid out, Enter or Space chooses. */
function Tiles({ found, value, onChange, drivers }: TilesProps) {
  const grid = useRef<HTMLFieldSetElement>(null);
  const [focused, setFocused] = useState<Kind>();
  const stop = found.find((kind) => kind === focused) ?? found.find((kind) => kind === value) ?? found[0];

  const onKeyDown = (event: KeyboardEvent) => {
    const tiles = [...(grid.current?.querySelectorAll<HTMLElement>('button') ?? [])];
    const index = tiles.findIndex((tile) => tile.matches(':focus'));
    const top = tiles[0]?.offsetTop;
    const columns = tiles.filter((tile) => tile.offsetTop === top).length;
    const steps: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
    const next = { Home: 0, End: tiles.length - 1 }[event.key] ?? index + (steps[event.key] ?? 0);
    if (next === index || !tiles[next]) return;
    event.preventDefault();
    tiles[next].focus();
  };

  if (found.length === 0) return <p className="text-control text-muted">No kind matches.</p>;
  return (
    <fieldset
      ref={grid}
      onKeyDown={onKeyDown}
      className="grid grid-cols-2 gap-2 sm:grid-cols-3 md:grid-cols-5 lg:grid-cols-3 xl:grid-cols-5"
    >
      <legend className="sr-only">Kind of database</legend>
      {found.map((kind) => {
        const { icon: Icon, title } = kinds[kind];
        const stored = drivers?.find((d) => d.db_type === kind)?.available === false;
        return (
          <button
            key={kind}
            type="button"
            tabIndex={kind === stop ? 0 : -1}
            aria-pressed={kind === value}
            onFocus={() => setFocused(kind)}
            onClick={() => onChange(kind)}
            className="flex h-12 min-w-0 items-center gap-2 rounded-md border border-line px-2.5 text-left text-control text-muted hover:border-edge hover:text-fg aria-pressed:border-accent aria-pressed:bg-accent-soft aria-pressed:font-medium aria-pressed:text-fg"
          >
            <Icon aria-hidden />
            <span className={cx('min-w-0', stored && 'leading-4')}>
              <span className="block truncate">{title}</span>
              {stored && <span className="block truncate text-label font-normal text-muted">not available yet</span>}
            </span>
          </button>
        );
      })}
    </fieldset>
  );
}
