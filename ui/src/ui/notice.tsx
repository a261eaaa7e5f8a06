import { CircleAlert, CircleCheck, Info, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { cx } from '@/lib/cx';

type Tone = 'info' | 'ok' | 'warn' | 'bad';
const look: Record<Tone, { icon: typeof Info; box: string; ink: string }> = {
  info: { icon: Info, box: 'border-info/30 bg-info-soft', ink: 'text-info' },
  ok: { icon: CircleCheck, box: 'border-ok/30 bg-ok-soft', ink: 'text-ok' },
  warn: { icon: TriangleAlert, box: 'border-warn/30 bg-warn-soft', ink: 'text-warn' },
  bad: { icon: CircleAlert, box: 'border-bad/30 bg-bad-soft', ink: 'text-bad' },
};
export function Notice({
  tone,
  title,
  children,
  action,
  className,
}: {
  tone: Tone;
  title?: string;
  children?: ReactNode;
  action?: ReactNode;
  className?: string;
}) {
  const { icon: Icon, box, ink } = look[tone];
  return (
    <div className={cx('flex items-start gap-2.5 rounded-md border px-3 py-2 text-control text-fg', box, className)}>
      <Icon aria-hidden className={cx('mt-px', ink)} />
      <div className="min-w-0 flex-1">
        {title && <p className="font-medium">{title}</p>}
        {children && <div className="text-fg">{children}</div>}
      </div>
      {action}
    </div>
  );
}
