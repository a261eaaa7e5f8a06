import { useState } from 'react';
import { formatList, plural } from '@/lib/format';
import { lineDiff } from '@/lib/line-diff';
import { buttons } from '@/lib/words';
import { Button } from '@/ui/button';
import { Chip } from '@/ui/chip';
import { Dialog } from '@/ui/dialog';
import { Diff } from '@/ui/diff';
import { Notice } from '@/ui/notice';
import { Segmented } from '@/ui/segmented';
import type { FieldTable } from './fields';
import { type Choices, clearChoices, type MergeField, merge, mergeFields, type Side } from './merge';

interface Props<F> {
  fields: FieldTable<F>;
  base: F;
  mine: F;
  theirs: F;
  onClose: () => void;
  onMerge: (form: F, save: boolean) => void;
}

const origin: Readonly<Record<MergeField['changed'], string>> = {
  mine: 'Only you changed it',
  theirs: 'Only they changed it',
  both: 'Both changed it',
};

/** Theirs beside mine, field by field. What only one side changed is merged already; the rest is decided here. */
export function ReviewDialog<F>({ fields: table, base, mine, theirs, onClose, onMerge }: Props<F>) {
  // What is reviewed stays still while it is reviewed.
  const [found] = useState(() => mergeFields(table, base, mine, theirs));
  const [choices, setChoices] = useState<Choices>(() => clearChoices(found));
  const open = found.filter((f) => choices[f.key] === undefined);
  const [asked, setAsked] = useState(false);
  const finish = (save: boolean) => {
    if (open.length > 0) setAsked(true);
    else onMerge(merge(table, mine, theirs, choices), save);
  };
  return (
    <Dialog
      open
      onClose={onClose}
      size="lg"
      title="Review differences"
      description={
        open.length > 0
          ? `${plural(open.length, 'field')} of ${found.length} still to decide: both sides changed ${open.length === 1 ? 'it' : 'them'}.`
          : 'Every field has its value. Saving makes a new version on top of theirs.'
      }
      footer={
        <>
          <Button onClick={onClose}>{buttons.cancel}</Button>
          <Button onClick={() => finish(false)}>Keep editing with these</Button>
          <Button intent="primary" onClick={() => finish(true)}>
            Save these
          </Button>
        </>
      }
    >
      {asked && open.length > 0 && (
        <div role="alert" className="mb-3">
          <Notice tone="bad">Choose mine or theirs for {formatList(open.map((f) => f.label))}.</Notice>
        </div>
      )}
      {found.length === 0 && <p className="text-control text-muted">Both sides changed the same. You can go on.</p>}
      <ul className="grid gap-4 py-1">
        {found.map((f) => (
          <Row
            key={f.key}
            field={f}
            choice={choices[f.key]}
            onChoose={(side) => setChoices({ ...choices, [f.key]: side })}
          />
        ))}
      </ul>
    </Dialog>
  );
}

interface RowProps {
  field: MergeField;
  choice: Side | undefined;
  onChoose: (side: Side) => void;
}

function Row({ field: { label, mine, theirs, changed }, choice, onChoose }: RowProps) {
  return (
    <li className="min-w-0">
      <div className="mb-1.5 flex flex-wrap items-center gap-2">
        <span className="text-control font-medium">{label}</span>
        <Chip tone={changed === 'both' ? 'warn' : 'neutral'}>{origin[changed]}</Chip>
        <span className="ml-auto">
          <Segmented<Side | 'none'>
            label={`Which ${label} to keep`}
            size="sm"
            value={choice ?? 'none'}
            options={[
              { value: 'mine', label: 'Use mine' },
              { value: 'theirs', label: 'Use theirs' },
            ]}
            onChange={(side) => {
              if (side !== 'none') onChoose(side);
            }}
          />
        </span>
      </div>
      {mine.includes('\n') || theirs.includes('\n') ? (
        <>
          <p className="mb-1 text-label text-muted">− theirs, + mine</p>
          <Diff label={`Theirs against mine in ${label}`} lines={lineDiff(theirs, mine, 3)} />
        </>
      ) : (
        <dl className="grid gap-2 sm:grid-cols-2">
          <Value side="Mine" text={mine} chosen={choice === 'mine'} />
          <Value side="Theirs" text={theirs} chosen={choice === 'theirs'} />
        </dl>
      )}
    </li>
  );
}

function Value({ side, text, chosen }: { side: string; text: string; chosen: boolean }) {
  return (
    <div
      className={`min-w-0 rounded-md border px-2.5 py-1.5 ${chosen ? 'border-accent bg-accent-soft' : 'border-line'}`}
    >
      <dt className="text-label text-muted">{side}</dt>
      <dd className="text-control break-words">{text || <span className="text-muted">nothing</span>}</dd>
    </div>
  );
}
