import { Switch as Base } from '@base-ui/react/switch';

interface Props {
  label: string;
  checked: boolean;
  onChange: (on: boolean) => void;
  id?: string;
  'aria-describedby'?: string;
}

/** On or off, at once. */
export function Switch({ label, checked, onChange, id, ...aria }: Props) {
  return (
    <Base.Root
      id={id}
      aria-label={label}
      checked={checked}
      onCheckedChange={onChange}
      className="group relative inline-flex h-6 w-8 shrink-0 items-center rounded-md pointer-coarse:h-11"
      {...aria}
    >
      {/* The target is 24 px high, the track in it 18 px (WCAG 2.5.8). */}
      <span className="flex h-[18px] w-full items-center rounded-full border border-edge bg-raised p-px transition-colors duration-100 group-data-checked:border-accent group-data-checked:bg-accent">
        <Base.Thumb className="size-3.5 rounded-full bg-edge transition-transform duration-100 data-checked:translate-x-3.5 data-checked:bg-accent-fg" />
      </span>
    </Base.Root>
  );
}
