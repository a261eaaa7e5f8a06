import { useState } from 'react';
import { cx } from '@/lib/cx';
import { lineDiff } from '@/lib/line-diff';
import { Button } from '@/ui/button';
import { Chip } from '@/ui/chip';
import { Dialog } from '@/ui/dialog';
import { Diff } from '@/ui/diff';
import { Segmented } from '@/ui/segmented';
import { type Choice, type Difference, differences, type Field, fieldLabels, merged, usualChoice } from './conflict';
import { type Connection, type Values, valuesOf } from './values';

interface Props {
  /** What both sides started from. */
  saved: Connection;
  theirs: Connection;
  mine: Values;
  onClose: () => void;
  onApply: (values: Values) => void;
}

const choices = [
  { value: 'theirs', label: 'Use theirs' },
  { value: 'mine', label: 'Use mine' },
] as const;
const marks = { both: 'both changed it', mine: 'only you changed it', theirs: 'only they changed it' };

/** Theirs beside mine, field by field. What only one side changed is already taken from that side. */
export function ReviewDialog({ saved, theirs, mine, onClose, onApply }: Props) {
  const found = differences(valuesOf(saved), valuesOf(theirs), mine);
  const [chosen, setChosen] = useState<Partial<Record<Field, Choice>>>(() =>
    Object.fromEntries(found.map((d) => [d.field, usualChoice(d)])),
  );
  return (
    <Dialog
      open
      onClose={onClose}
      size="lg"
      title="Review differences"
      description={`Version ${theirs.version} beside what you typed. Nothing is saved yet.`}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button intent="primary" onClick={() => onApply(merged(valuesOf(theirs), mine, chosen))}>
            Continue with this choice
          </Button>
        </>
      }
    >
      {found.length === 0 && <p className="text-control text-muted">Both sides changed the same. You can go on.</p>}
      <ul className="divide-y divide-line">
        {found.map((d) => (
          <DifferenceRow
            key={d.field}
            difference={d}
            choice={chosen[d.field] ?? usualChoice(d)}
            onChoose={(choice) => setChosen({ ...chosen, [d.field]: choice })}
          />
        ))}
      </ul>
    </Dialog>
  );
}

interface RowProps {
  difference: Difference;
  choice: Choice;
  onChoose: (choice: Choice) => void;
}

function DifferenceRow({ difference: d, choice, onChoose }: RowProps) {
  const label = fieldLabels[d.field];
  const long = d.theirs.includes('\n') || d.mine.includes('\n');
  return (
    <li className="grid gap-2 py-3">
      <div className="flex flex-wrap items-center gap-2">
        <span className="text-control font-medium">{label}</span>
        <Chip tone={d.by === 'both' ? 'warn' : 'neutral'}>{marks[d.by]}</Chip>
        <span className="ml-auto">
          <Segmented
            size="sm"
            label={`Which ${label.toLowerCase()}`}
            value={choice}
            options={choices}
            onChange={onChoose}
          />
        </span>
      </div>
      {long ? (
        <Diff label={`${label}: theirs, then mine`} lines={lineDiff(d.theirs, d.mine, 3)} />
      ) : (
        <div className="grid gap-2 sm:grid-cols-2">
          <Side title="Theirs" value={d.theirs} on={choice === 'theirs'} />
          <Side title="Mine" value={d.mine} on={choice === 'mine'} />
        </div>
      )}
    </li>
  );
}

function Side({ title, value, on }: { title: string; value: string; on: boolean }) {
  return (
    <div className={cx('rounded-md border px-3 py-1.5', on ? 'border-accent bg-accent-soft' : 'border-line')}>
      <p className="text-label text-muted">{title}</p>
      <p className="font-mono text-label break-words">{value || 'empty'}</p>
    </div>
  );
}
