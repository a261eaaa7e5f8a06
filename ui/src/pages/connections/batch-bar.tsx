import { Link } from '@tanstack/react-router';
import { RotateCw } from 'lucide-react';
import { SelectionBar } from '@/components/list/selection-bar';
import { plural } from '@/lib/format';
import { paths } from '@/lib/paths';
import { buttons } from '@/lib/words';
import { Button } from '@/ui/button';
import { Notice } from '@/ui/notice';
import type { Batch } from './use-batch-test';

interface Props {
  batch: Batch | undefined;
  selected: number;
  onTest: () => void;
  onCancel: () => void;
  onClear: () => void;
  onDismiss: () => void;
}

/** What is selected and what can be done with it; while tests run, how far they are; afterwards, what they found. */
export function BatchBar({ batch, selected, onTest, onCancel, onClear, onDismiss }: Props) {
  if (batch?.running) {
    return (
      <section
        aria-label="Tests"
        className="flex flex-wrap items-center gap-3 rounded-md border border-line bg-raised px-3 py-1.5"
      >
        <p className="text-control tabular-nums">
          Testing {batch.done + 1} of {batch.total}
        </p>
        <progress
          aria-label="Tests done"
          max={batch.total}
          value={batch.done}
          className="h-1.5 min-w-24 flex-1 appearance-none overflow-hidden rounded-full bg-line [&::-moz-progress-bar]:bg-accent [&::-webkit-progress-bar]:bg-line [&::-webkit-progress-value]:bg-accent"
        />
        <Button size="sm" onClick={onCancel}>
          {buttons.cancel}
        </Button>
      </section>
    );
  }
  return (
    <>
      {batch && <Outcome batch={batch} onDismiss={onDismiss} />}
      {selected > 0 && (
        <SelectionBar count={selected} noun="connection" onClear={onClear}>
          <Button size="sm" onClick={onTest}>
            <RotateCw aria-hidden />
            Test
          </Button>
        </SelectionBar>
      )}
    </>
  );
}

function Outcome({ batch, onDismiss }: { batch: Batch; onDismiss: () => void }) {
  const { done, total, failed } = batch;
  const bad = failed.length > 0;
  const stopped = done < total ? ` ${plural(total - done, 'test')} cancelled.` : '';
  const title = bad
    ? `${failed.length} of ${plural(done, 'connection')} failed.`
    : `${plural(done, 'connection')} answered.`;
  return (
    <Notice
      tone={bad ? 'bad' : 'ok'}
      title={title + stopped}
      action={
        <Button size="sm" intent="ghost" onClick={onDismiss}>
          {buttons.dismiss}
        </Button>
      }
    >
      {bad && (
        <ul className="mt-1 grid gap-0.5">
          {failed.map((f) => (
            <li key={f.id} className="break-words">
              <Link
                to={paths.connection}
                params={{ id: f.id }}
                className="rounded text-link underline underline-offset-2"
              >
                {f.name}
              </Link>
              : {f.message}
            </li>
          ))}
        </ul>
      )}
    </Notice>
  );
}
