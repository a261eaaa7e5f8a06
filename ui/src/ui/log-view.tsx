import { ArrowDown, Download, Pause, Play, WrapText } from 'lucide-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { cx } from '@/lib/cx';
import { formatClock, formatExact, plural } from '@/lib/format';
import { Button } from './button';
import { CopyIcon } from './copy-button';
import { IconButton } from './icon-button';
import { Input } from './input';

export interface LogEntry {
  id: string;
  /** RFC 3339 with milliseconds. */
  at: string;
  level: 'debug' | 'info' | 'warn' | 'error';
  source: string;
  text: string;
}

interface Props {
  label: string;
  lines: readonly LogEntry[];
  /** New lines may still come: offers to pause. */
  live?: boolean;
  /** Shown instead of lines when there are none: never a blank panel. */
  empty: string;
  /** Name of the downloaded file. */
  file: string;
  className?: string;
}

const ink = { debug: 'text-muted', info: 'text-muted', warn: 'text-warn', error: 'text-bad' };

/** Log lines that follow their end until the reader scrolls up. Not a live region: lines come too fast to be read out. */
export function LogView({ label, lines, live, empty, file, className }: Props) {
  const [filter, setFilter] = useState('');
  const [wrap, setWrap] = useState(true);
  const [frozen, setFrozen] = useState<readonly LogEntry[]>();
  const box = useRef<HTMLElement>(null);
  const [atEnd, setAtEnd] = useState(true);

  const source = frozen ?? lines;
  const wanted = filter.trim().toLowerCase();
  const shown = useMemo(
    () => source.filter((l) => `${l.level} ${l.source} ${l.text}`.toLowerCase().includes(wanted)),
    [source, wanted],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new line is the reason to scroll
  useEffect(() => {
    if (atEnd && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [shown, atEnd]);

  const waiting = frozen ? lines.length - frozen.length : 0;
  return (
    <div className={cx('relative flex min-h-0 flex-col', className)}>
      <div className="flex items-center gap-1 border-b border-line px-3 py-1.5">
        <span className="w-36 shrink">
          <Input
            size="sm"
            aria-label={`Filter ${label.toLowerCase()}`}
            placeholder="Filter"
            value={filter}
            onChange={(e) => setFilter(e.target.value)}
          />
        </span>
        <span className="mr-auto truncate pl-1.5 text-label whitespace-nowrap text-muted tabular-nums">
          {plural(shown.length, 'line')}
          {waiting > 0 && `, ${waiting} waiting`}
        </span>
        {live && (
          <IconButton
            size="sm"
            label={frozen ? 'Resume' : 'Pause'}
            onClick={() => setFrozen(frozen ? undefined : lines)}
            icon={frozen ? <Play aria-hidden /> : <Pause aria-hidden />}
          />
        )}
        <IconButton
          size="sm"
          label="Wrap lines"
          aria-pressed={wrap}
          onClick={() => setWrap(!wrap)}
          icon={<WrapText aria-hidden />}
        />
        <CopyIcon label="Copy log" text={asText(shown)} />
        <IconButton
          size="sm"
          label="Download log"
          onClick={() => download(file, asText(lines))}
          icon={<Download aria-hidden />}
        />
      </div>
      <section
        ref={box}
        aria-label={label}
        tabIndex={0}
        onScroll={(e) => {
          const { scrollTop, scrollHeight, clientHeight } = e.currentTarget;
          setAtEnd(scrollHeight - scrollTop - clientHeight < 24);
        }}
        className="focus-inset min-h-0 flex-1 overflow-auto py-2 font-mono text-label leading-5"
      >
        {shown.map((l) => (
          <div key={l.id} className={cx('flex gap-x-3 px-4 hover:bg-hover', wrap ? 'max-sm:flex-wrap' : 'w-max')}>
            <time dateTime={l.at} title={formatExact(new Date(l.at))} className="shrink-0 text-muted tabular-nums">
              {formatClock(new Date(l.at))}
            </time>
            <span className={cx('w-20 shrink-0 truncate', ink[l.level])}>{l.source}</span>
            <span
              className={cx(
                'min-w-0 whitespace-pre-wrap',
                wrap ? 'break-words max-sm:basis-full max-sm:pb-1' : 'whitespace-pre',
                ['warn', 'error'].includes(l.level) && ink[l.level],
              )}
            >
              {['warn', 'error'].includes(l.level) && <span className="sr-only">{l.level}: </span>}
              {l.text}
            </span>
          </div>
        ))}
        {shown.length === 0 && (
          <p className="px-4 font-sans text-control text-muted">
            {source.length === 0 ? empty : `No lines match “${filter}”.`}
          </p>
        )}
      </section>
      {!atEnd && (
        <Button size="sm" className="absolute right-4 bottom-3 shadow-pop" onClick={() => setAtEnd(true)}>
          <ArrowDown aria-hidden className="size-3.5" />
          Latest
        </Button>
      )}
    </div>
  );
}

function asText(lines: readonly LogEntry[]): string {
  return lines.map((l) => `${l.at} ${l.level.padEnd(5)} ${l.source}: ${l.text}`).join('\n');
}

function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
