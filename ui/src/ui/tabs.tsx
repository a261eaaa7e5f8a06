import { Tabs as Base } from '@base-ui/react/tabs';
import type { ReactNode } from 'react';
import { cx } from '@/lib/cx';

export interface TabItem<V extends string> {
  value: V;
  label: string;
  count?: number;
  content: ReactNode;
}

interface Props<V extends string> {
  items: readonly TabItem<V>[];
  value: V;
  onChange: (value: V) => void;
  label: string;
  /** Controls at the end of the tab bar. */
  aside?: ReactNode;
  className?: string;
  listClass?: string;
  panelClass?: string;
}

/** Views of one thing. The chosen tab belongs in the URL: the page keeps it there. */
export function Tabs<V extends string>(props: Props<V>) {
  const { items, value, onChange, label, aside, className, listClass, panelClass } = props;
  return (
    <Base.Root
      value={value}
      onValueChange={(next: V) => onChange(next)}
      className={cx('flex min-h-0 min-w-0 flex-col', className)}
    >
      <div className={cx('flex items-center border-b border-line', listClass)}>
        <Base.List aria-label={label} className="flex min-w-0 gap-3.5 overflow-x-auto overflow-y-hidden">
          {items.map((t) => (
            <Base.Tab
              key={t.value}
              value={t.value}
              className="focus-inset flex h-10 shrink-0 items-center pointer-coarse:h-11 gap-1.5 border-b-2 border-transparent px-0.5 text-control font-medium whitespace-nowrap text-muted hover:text-fg aria-selected:border-accent aria-selected:text-fg"
            >
              {t.label}
              {t.count !== undefined && (
                <span className="rounded bg-raised px-1 text-label text-fg tabular-nums">{t.count}</span>
              )}
            </Base.Tab>
          ))}
        </Base.List>
        {aside && <div className="ml-auto flex shrink-0 items-center gap-1 pl-3">{aside}</div>}
      </div>
      {items.map((t) => (
        <Base.Panel key={t.value} value={t.value} className={cx('min-h-0 outline-offset-[-2px]', panelClass)}>
          {t.content}
        </Base.Panel>
      ))}
    </Base.Root>
  );
}
