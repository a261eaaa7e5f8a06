/** The mark: rows of a table, one of them on its way out. */
export function Logo({ size = 22 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" className="shrink-0">
      <rect width="24" height="24" rx="6" className="fill-accent" />
      <path
        d="M6 7.25h12M6 16.75h12M6 12h5.5"
        className="stroke-accent-fg"
        strokeWidth="2.5"
        strokeLinecap="round"
        fill="none"
      />
      <circle cx="16.75" cy="12" r="2" className="fill-accent-fg" />
    </svg>
  );
}
