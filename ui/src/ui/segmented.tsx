import { cx } from '@/lib/cx';

interface Props<V extends string> {
  label: string;
  value: V;
  options: readonly { value: V; label: string }[];
  onChange: (value: V) => void;
  size?: 'md' | 'sm';
}

/** A few choices that are all visible, one of them pressed. */
export function Segmented<V extends string>({ label, value, options, onChange, size = 'md' }: Props<V>) {
  return (
    <fieldset
      className={cx(
        'inline-flex min-w-0 items-center gap-0.5 rounded-md border border-line bg-raised p-0.5',
        size === 'md' ? 'h-8 pointer-coarse:h-11' : 'h-7 pointer-coarse:h-11',
      )}
    >
      <legend className="sr-only">{label}</legend>
      {options.map((o) => (
        <button
          key={o.value}
          type="button"
          aria-pressed={o.value === value}
          onClick={() => onChange(o.value)}
          className="focus-inset relative h-full rounded pointer-coarse:after:absolute pointer-coarse:after:inset-x-0 pointer-coarse:after:-inset-y-1 pointer-coarse:after:content-[''] px-2.5 text-label font-medium whitespace-nowrap text-muted hover:text-fg aria-pressed:bg-surface aria-pressed:text-fg aria-pressed:shadow-[0_0_0_1px_var(--line)]"
        >
          {o.label}
        </button>
      ))}
    </fieldset>
  );
}
