import { Check, LoaderCircle, TriangleAlert, X } from 'lucide-react';
import type { ReactNode } from 'react';
import { cx } from '@/lib/cx';

/** "warning": it went well, but not as one should leave it. */
export type StepState = 'done' | 'warning' | 'running' | 'failed' | 'waiting';

export interface Step {
  name: string;
  state: StepState;
  time?: string;
  detail?: ReactNode;
}

const words: Record<StepState, string> = {
  done: 'done',
  warning: 'done, with a warning',
  running: 'running',
  failed: 'failed',
  waiting: 'not started',
};
const rings: Record<StepState, string> = {
  done: 'border-ok bg-ok-soft text-ok',
  warning: 'border-warn bg-warn-soft text-warn',
  failed: 'border-bad bg-bad-soft text-bad',
  running: 'border-accent bg-accent-soft text-link',
  waiting: 'border-line text-muted',
};

/** Work in named steps, each with its state, its time and what it found. */
export function StepList({ steps, label }: { steps: readonly Step[]; label: string }) {
  return (
    <ol aria-label={label}>
      {steps.map((s, n) => (
        <li
          key={s.name}
          aria-current={s.state === 'running' ? 'step' : undefined}
          className="relative flex gap-3 pb-3 last:pb-0"
        >
          {n < steps.length - 1 && (
            <span
              aria-hidden
              className={cx(
                'absolute top-[22px] bottom-[-2px] left-[9.5px] w-px',
                s.state === 'done' || s.state === 'warning' ? 'bg-ok' : 'bg-line',
              )}
            />
          )}
          <span
            className={cx('relative mt-px grid size-5 shrink-0 place-items-center rounded-full border', rings[s.state])}
          >
            <StepIcon state={s.state} />
          </span>
          <div className="min-w-0 flex-1">
            <div className="flex items-baseline gap-2">
              <span
                className={cx(
                  'text-control',
                  s.state === 'waiting' ? 'text-muted' : 'font-medium',
                  s.state === 'failed' && 'text-bad',
                )}
              >
                {s.name}
                <span className="sr-only">, {words[s.state]}</span>
              </span>
              <span className="ml-auto text-label text-muted tabular-nums">{s.time}</span>
            </div>
            {s.detail && (
              <div className={cx('mt-0.5 text-label break-words', s.state === 'warning' ? 'text-warn' : 'text-muted')}>
                {s.detail}
              </div>
            )}
          </div>
        </li>
      ))}
    </ol>
  );
}

function StepIcon({ state }: { state: StepState }) {
  const className = 'size-3 stroke-[2.25]';
  switch (state) {
    case 'done':
      return <Check aria-hidden className={className} />;
    case 'warning':
      return <TriangleAlert aria-hidden className={className} />;
    case 'failed':
      return <X aria-hidden className={className} />;
    case 'running':
      return <LoaderCircle aria-hidden className={cx(className, 'animate-spin')} />;
    default:
      return <span aria-hidden className="size-1 rounded-full bg-muted" />;
  }
}
