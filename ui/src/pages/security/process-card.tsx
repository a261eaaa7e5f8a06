import { ChevronDown } from 'lucide-react';
import { type ReactNode, useId, useState } from 'react';
import { cx } from '@/lib/cx';
import { iconButtonClass } from '@/ui/icon-button-class';

interface Props {
  title: string;
  pid: number;
  /** What is said of it beside its title. */
  meta: ReactNode;
  /** At the end of the head: the level. */
  chip?: ReactNode;
  /** Shown also while the rest is folded away. */
  summary?: ReactNode;
  open?: boolean;
  children: ReactNode;
}

/** A card about one process that can be folded to its head. Two can have one title, as workbenches of one connection do: the process tells them apart. */
export function ProcessCard({ title, pid, meta, chip, summary, open: initially = false, children }: Props) {
  const id = useId();
  const [open, setOpen] = useState(initially);
  return (
    <section aria-labelledby={`${id}-title ${id}-pid`} className="min-w-0 rounded-lg border border-line bg-surface">
      <header className="flex min-h-11 items-center gap-3 px-4 py-1.5">
        <div className="flex min-w-0 flex-1 flex-wrap items-baseline gap-x-2">
          <h2 id={`${id}-title`} className="min-w-0 text-control font-semibold break-words">
            {title}
          </h2>
          <span className="text-label text-muted tabular-nums">
            <span id={`${id}-pid`}>process {pid}</span>, {meta}
          </span>
        </div>
        {chip}
        <button
          type="button"
          aria-expanded={open}
          aria-controls={`${id}-body`}
          aria-label={`Details of ${title}, process ${pid}`}
          onClick={() => setOpen(!open)}
          className={iconButtonClass('sm', '-mr-2')}
        >
          <ChevronDown aria-hidden className={cx('transition-transform duration-100', open && 'rotate-180')} />
        </button>
      </header>
      {summary && <div className="border-t border-line px-4 py-3">{summary}</div>}
      <div id={`${id}-body`} className={cx(open && 'border-t border-line')}>
        {open && children}
      </div>
    </section>
  );
}

/** One subject inside a process card, below its own line of heading. */
export function ProcessSection({ title, lead, children }: { title: string; lead?: string; children: ReactNode }) {
  return (
    <div className="group/section">
      <h3 className="border-b border-line bg-bg px-4 py-1.5 text-label font-medium text-muted not-group-first/section:border-t">
        {title}
      </h3>
      {lead && <p className="px-4 pt-2.5 text-control text-muted">{lead}</p>}
      {children}
    </div>
  );
}
