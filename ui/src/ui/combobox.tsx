import { Combobox as Base } from '@base-ui/react/combobox';
import { Check, ChevronsUpDown } from 'lucide-react';
import { cx } from '@/lib/cx';
import { controlClass } from './input';
import { useLayerRoot } from './layer-root';

export interface ComboboxOption {
  value: string;
  label: string;
  /** Shown muted at the end of the row, and searched too. */
  hint?: string;
}

interface Props {
  id?: string;
  label?: string;
  value: string;
  onChange: (value: string) => void;
  options: readonly ComboboxOption[];
  placeholder?: string;
  /** Said when nothing matches. */
  empty?: string;
  'aria-describedby'?: string;
  'aria-invalid'?: true;
  className?: string;
}

/**
 * A choice from a list that is too long to scan: opening it puts the cursor in a search field that narrows it. The
 * field is in the list's own layer, so the rest of the page stays readable for assistive technology.
 */
export function Combobox({
  id,
  label,
  value,
  onChange,
  options,
  placeholder,
  empty = 'Nothing matches.',
  className,
  ...aria
}: Props) {
  const root = useLayerRoot();
  const selected = options.find((o) => o.value === value) ?? null;
  return (
    <Base.Root
      items={options}
      value={selected}
      onValueChange={(next: ComboboxOption | null) => {
        if (next) onChange(next.value);
      }}
      itemToStringLabel={(o: ComboboxOption) => o.label}
      isItemEqualToValue={(a: ComboboxOption, b: ComboboxOption) => a.value === b.value}
      filter={(o: ComboboxOption, query: string) =>
        `${o.label} ${o.hint ?? ''}`.toLowerCase().includes(query.trim().toLowerCase())
      }
    >
      <Base.Trigger
        id={id}
        aria-label={label}
        className={cx(
          controlClass,
          'flex h-8 items-center gap-2 px-2.5 text-left pointer-coarse:h-11',
          !selected && 'text-muted',
          className,
        )}
        {...aria}
      >
        <span className="min-w-0 flex-1 truncate">{selected?.label ?? placeholder}</span>
        <ChevronsUpDown aria-hidden className="size-3.5 text-muted" />
      </Base.Trigger>
      <Base.Portal container={root}>
        <Base.Positioner sideOffset={4} className="z-50">
          <Base.Popup
            aria-label={label ?? placeholder}
            className="flex max-h-80 w-(--anchor-width) min-w-64 flex-col overflow-hidden rounded-lg border border-line bg-surface shadow-pop"
          >
            <Base.Input
              aria-label="Search"
              placeholder="Search"
              className="h-9 shrink-0 border-b border-line bg-transparent px-3 text-control outline-none placeholder:text-muted pointer-coarse:h-11"
            />
            <Base.Empty className="px-3 text-control text-muted not-empty:py-2.5">{empty}</Base.Empty>
            <Base.List className="min-h-0 overflow-y-auto p-1 empty:hidden">
              {(o: ComboboxOption) => (
                <Base.Item
                  key={o.value}
                  value={o}
                  className="flex min-h-7 items-center gap-2 rounded px-2 py-1 text-control outline-none data-highlighted:bg-raised pointer-coarse:min-h-11"
                >
                  <span className="min-w-0 flex-1 truncate">{o.label}</span>
                  {o.hint && <span className="truncate text-label text-muted">{o.hint}</span>}
                  <Base.ItemIndicator>
                    <Check aria-hidden className="size-3.5" />
                  </Base.ItemIndicator>
                </Base.Item>
              )}
            </Base.List>
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
