import { Select as Base } from '@base-ui/react/select';
import { Check, ChevronsUpDown } from 'lucide-react';
import type { ReactNode } from 'react';
import { cx } from '@/lib/cx';
import { controlClass } from './input';
import { useLayerRoot } from './layer-root';

interface Props<V extends string> {
  id?: string;
  /** Needed when no Field names the control. */
  label?: string;
  value: V;
  onChange: (value: V) => void;
  options: readonly { value: V; label: string; hint?: string }[];
  size?: 'md' | 'sm';
  className?: string;
  icon?: ReactNode;
  mono?: boolean;
  'aria-describedby'?: string;
  'aria-invalid'?: true;
  'aria-required'?: true;
}

/** A choice from a short list. */
export function Select<V extends string>({
  id,
  label,
  value,
  onChange,
  options,
  size = 'md',
  className,
  icon,
  mono,
  ...aria
}: Props<V>) {
  const root = useLayerRoot();
  return (
    <Base.Root
      items={options}
      value={value}
      onValueChange={(next: V | null) => {
        if (next !== null) onChange(next);
      }}
    >
      <Base.Trigger
        id={id}
        aria-label={label}
        className={cx(
          controlClass,
          'flex items-center gap-2 px-2.5 text-left pointer-coarse:h-11',
          size === 'md' ? 'h-8' : 'h-7',
          mono && 'font-mono',
          className,
        )}
        {...aria}
      >
        {icon}
        <Base.Value className="min-w-0 flex-1 truncate" />
        <Base.Icon className="text-muted">
          <ChevronsUpDown aria-hidden className="size-3.5" />
        </Base.Icon>
      </Base.Trigger>
      <Base.Portal container={root}>
        <Base.Positioner sideOffset={4} alignItemWithTrigger={false} className="z-50">
          <Base.Popup className="max-h-80 max-w-[92vw] min-w-(--anchor-width) overflow-auto rounded-lg border border-line bg-surface p-1 shadow-pop">
            {options.map((o) => (
              <Base.Item
                key={o.value}
                value={o.value}
                className="flex min-h-7 items-center gap-2 rounded px-2 py-1 text-control outline-none data-highlighted:bg-raised pointer-coarse:min-h-11"
              >
                <span className="min-w-0 flex-1">
                  <Base.ItemText className={cx('block', mono && 'font-mono')}>{o.label}</Base.ItemText>
                  {o.hint && <span className="block text-label text-muted">{o.hint}</span>}
                </span>
                <Base.ItemIndicator>
                  <Check aria-hidden className="size-3.5" />
                </Base.ItemIndicator>
              </Base.Item>
            ))}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
