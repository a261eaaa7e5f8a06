import { isApple, keyLabels } from '@/lib/keys';

/** The keys of a shortcut, as this keyboard prints them. */
export function Kbd({ keys }: { keys: string }) {
  return (
    <span className="inline-flex items-center gap-1 align-middle">
      {keyLabels(keys, isApple(navigator.platform)).map((label) => (
        <kbd
          key={label}
          className="inline-flex h-5 min-w-5 items-center justify-center rounded border border-line bg-bg px-1.5 font-sans text-[0.6875rem] leading-none font-medium text-muted"
        >
          {label}
        </kbd>
      ))}
    </span>
  );
}
