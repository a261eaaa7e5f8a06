import { Checkbox as Base } from '@base-ui/react/checkbox';
import { Check } from 'lucide-react';
import { type ReactNode, useId } from 'react';
import { cx } from '@/lib/cx';

interface Props {
  children: ReactNode;
  checked: boolean;
  onChange: (on: boolean) => void;
  /** The label is only for assistive technology: the place says what is chosen. */
  hideLabel?: boolean;
  hint?: ReactNode;
}

/** A yes or no that takes effect on save. A switch is for what takes effect at once. */
export function Checkbox({ children, checked, onChange, hideLabel, hint }: Props) {
  const id = useId();
  return (
    <span className="inline-flex items-start align-middle text-control">
      {/* The target is 24 px, the box in it 16 px (WCAG 2.5.8). */}
      <Base.Root
        aria-labelledby={id}
        aria-describedby={hint ? `${id}-hint` : undefined}
        checked={checked}
        onCheckedChange={onChange}
        className="group -my-[3px] -ml-1 grid size-6 shrink-0 place-items-center rounded-md pointer-coarse:-my-[13px] pointer-coarse:-ml-3.5 pointer-coarse:size-11"
      >
        <span className="grid size-4 place-items-center rounded border border-edge bg-surface group-data-checked:border-accent group-data-checked:bg-accent">
          <Base.Indicator>
            <Check aria-hidden className="size-3 stroke-[2.5] text-accent-fg" />
          </Base.Indicator>
        </span>
      </Base.Root>
      <span className={cx(hideLabel ? 'sr-only' : 'pl-1')}>
        {/* biome-ignore lint/a11y/useKeyWithClickEvents lint/a11y/noStaticElementInteractions: a larger target for what the box does by keyboard */}
        <span id={id} onClick={() => onChange(!checked)} className="cursor-pointer">
          {children}
        </span>
        {hint && (
          <span id={`${id}-hint`} className="block text-label text-muted">
            {hint}
          </span>
        )}
      </span>
    </span>
  );
}
