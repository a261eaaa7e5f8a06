import { cx } from '@/lib/cx';

/** State is always shape + word + colour; the shapes are fixed across the product. */
export type StateKind = 'live' | 'draft' | 'saved' | 'disabled' | 'warning' | 'error' | 'info';
const tone: Record<StateKind, string> = {
  live: 'text-ok',
  draft: 'text-muted',
  saved: 'text-warn',
  disabled: 'text-muted',
  warning: 'text-warn',
  error: 'text-bad',
  info: 'text-info',
};

export function StateIcon({ kind, className }: { kind: StateKind; className?: string }) {
  return (
    <svg
      viewBox="0 0 12 12"
      aria-hidden="true"
      className={cx('size-3 shrink-0', tone[kind], className)}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
    >
      {kind === 'live' && <circle cx="6" cy="6" r="4" fill="currentColor" stroke="none" />}
      {kind === 'info' && (
        <rect
          x="2.6"
          y="2.6"
          width="6.8"
          height="6.8"
          rx="1"
          transform="rotate(45 6 6)"
          fill="currentColor"
          stroke="none"
        />
      )}
      {kind === 'draft' && <circle cx="6" cy="6" r="3.75" />}
      {kind === 'saved' && (
        <>
          <circle cx="6" cy="6" r="3.75" />
          <path d="M6 2.25a3.75 3.75 0 0 1 0 7.5z" fill="currentColor" stroke="none" />
        </>
      )}
      {kind === 'disabled' && (
        <>
          <circle cx="6" cy="6" r="3.75" />
          <path d="m3.4 3.4 5.2 5.2" />
        </>
      )}
      {kind === 'warning' && <path d="M6 1.6 11 10.4H1z" fill="currentColor" stroke="none" />}
      {kind === 'error' && <path d="m2.75 2.75 6.5 6.5m0-6.5-6.5 6.5" strokeWidth="1.9" strokeLinecap="round" />}
    </svg>
  );
}

export function State({ kind, children, className }: { kind: StateKind; children: string; className?: string }) {
  return (
    <span className={cx('inline-flex items-center gap-1.5 text-control whitespace-nowrap', tone[kind], className)}>
      <StateIcon kind={kind} />
      {children}
    </span>
  );
}
