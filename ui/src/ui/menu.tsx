import { Menu as Base } from '@base-ui/react/menu';
import { Check } from 'lucide-react';
import { Fragment, type ReactElement, type ReactNode } from 'react';
import { cx } from '@/lib/cx';
import { useLayerRoot } from './layer-root';

export interface MenuItem {
  label: string;
  icon?: ReactNode;
  shortcut?: string;
  onSelect: () => void;
  danger?: boolean;
  /** A line above the item. */
  separated?: boolean;
  /** Why the item cannot be used now; it stays readable and focusable. */
  disabled?: string;
}

interface Props {
  trigger: ReactElement<Record<string, unknown>>;
  items: readonly MenuItem[];
  header?: ReactNode;
  align?: 'start' | 'end';
}

const menuItemClass =
  'flex min-h-7 items-center gap-2 rounded px-2 py-1 text-control outline-none data-disabled:text-muted data-highlighted:bg-raised pointer-coarse:min-h-11';

/** Actions behind one button. */
export function Menu({ trigger, items, header, align = 'end' }: Props) {
  return (
    <MenuFrame trigger={trigger} align={align}>
      {header}
      {items.map((item) => (
        <Fragment key={item.label}>
          {item.separated && <Base.Separator className="m-1 h-px bg-line" />}
          <Base.Item
            onClick={item.onSelect}
            disabled={item.disabled !== undefined}
            className={cx(menuItemClass, item.danger && 'text-bad')}
          >
            {item.icon}
            <span className="flex-1">
              {item.label}
              {item.disabled && <span className="block text-label text-muted">{item.disabled}</span>}
            </span>
            {item.shortcut && <span className="pl-4 text-label text-muted">{item.shortcut}</span>}
          </Base.Item>
        </Fragment>
      ))}
    </MenuFrame>
  );
}

interface ChoiceProps<V extends string> {
  trigger: ReactElement<Record<string, unknown>>;
  label: string;
  value: V;
  options: readonly { value: V; label: string; icon?: ReactNode }[];
  onChange: (value: V) => void;
}

/** One choice behind one button; the menu says which is chosen. */
export function ChoiceMenu<V extends string>({ trigger, label, value, options, onChange }: ChoiceProps<V>) {
  return (
    <MenuFrame trigger={trigger} align="end">
      <Base.RadioGroup aria-label={label} value={value} onValueChange={(next: V) => onChange(next)}>
        {options.map((o) => (
          <Base.RadioItem key={o.value} value={o.value} closeOnClick className={menuItemClass}>
            {o.icon}
            <span className="flex-1">{o.label}</span>
            <Base.RadioItemIndicator>
              <Check aria-hidden className="size-3.5 text-link" />
            </Base.RadioItemIndicator>
          </Base.RadioItem>
        ))}
      </Base.RadioGroup>
    </MenuFrame>
  );
}

function MenuFrame({ trigger, align, children }: Pick<Props, 'trigger' | 'align'> & { children: ReactNode }) {
  const root = useLayerRoot();
  return (
    <Base.Root>
      <Base.Trigger render={trigger} />
      <Base.Portal container={root}>
        <Base.Positioner sideOffset={4} align={align} className="z-50">
          <Base.Popup className="layer-rise min-w-48 rounded-lg border border-line bg-surface p-1 shadow-pop outline-none">
            {children}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
