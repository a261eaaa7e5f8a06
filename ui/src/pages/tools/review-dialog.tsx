import { useState } from 'react';
import { formatList } from '@/lib/format';
import { lineDiff } from '@/lib/line-diff';
import { Button } from '@/ui/button';
import { Chip } from '@/ui/chip';
import { Dialog } from '@/ui/dialog';
import { Diff } from '@/ui/diff';
import { Notice } from '@/ui/notice';
import { Segmented } from '@/ui/segmented';
import { textOfField } from './fields';
import type { ToolForm } from './form';
import { clearChoices, type MergeField, merge, mergeFields, type Side } from './merge';

interface Props {
  base: ToolForm;
  mine: ToolForm;
  theirs: ToolForm;
  connectionName: (id: string) => string;
  onClose: () => void;
  onMerge: (form: ToolForm, save: boolean) => void;
}

const origin: Readonly<Record<MergeField['changed'], string>> = {
  mine: 'Only you changed it',
  theirs: 'Only they changed it',
  both: 'Both changed it',
};

/** Theirs beside mine, field by field. What only one side changed is merged already; the rest is decided here. */
export function ReviewDialog({ base, mine, theirs, connectionName, onClose, onMerge }: Props) {
  // What is reviewed stays still while it is reviewed.
  const [fields] = useState(() => mergeFields(base, mine, theirs));
  const [choices, setChoices] = useState<Readonly<Record<string, Side>>>(() => clearChoices(fields));
  const open = fields.filter((f) => choices[f.key] === undefined).length;
  const [asked, setAsked] = useState(false);
  const finish = (save: boolean) => {
    if (open > 0) setAsked(true);
    else onMerge(merge(mine, theirs, choices), save);
  };
  return (
    <Dialog
      open
      onClose={onClose}
      size="lg"
      title="Review differences"
      description={
        open > 0
          ? `${open} of ${fields.length} fields were changed on both sides. Choose which to keep.`
          : 'Every field has its value. Saving makes a new version on top of theirs.'
      }
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button onClick={() => finish(false)}>Keep editing with these</Button>
          <Button intent="primary" onClick={() => finish(true)}>
            Save these
          </Button>
        </>
      }
    >
      {asked && open > 0 && (
        <div role="alert" className="mb-3">
          <Notice tone="bad">
            Choose mine or theirs for{' '}
            {formatList(fields.filter((f) => choices[f.key] === undefined).map((f) => f.label))}.
          </Notice>
        </div>
      )}
      <ul className="grid gap-4 py-1">
        {fields.map((f) => (
          <Row
            key={f.key}
            field={f}
            choice={choices[f.key]}
            connectionName={connectionName}
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
  connectionName: (id: string) => string;
  onChoose: (side: Side) => void;
}

function Row({ field: f, choice, connectionName, onChoose }: RowProps) {
  const theirs = textOfField(f.key, f.theirs, connectionName);
  const mine = textOfField(f.key, f.mine, connectionName);
  return (
    <li className="min-w-0">
      <div className="mb-1.5 flex flex-wrap items-center gap-2">
        <span className="text-control font-medium">{f.label}</span>
        <Chip tone={f.changed === 'both' ? 'warn' : 'neutral'}>{origin[f.changed]}</Chip>
        <span className="ml-auto">
          <Segmented<Side | 'none'>
            label={`Which ${f.label} to keep`}
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
          <Diff label={`Theirs against mine in ${f.label}`} lines={lineDiff(theirs, mine, 3)} />
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
