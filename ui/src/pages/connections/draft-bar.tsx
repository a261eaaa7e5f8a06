import { useState } from 'react';
import { Time } from '@/components/time';
import type { Draft } from '@/lib/drafts';
import { plural } from '@/lib/format';
import { Button } from '@/ui/button';
import { Notice } from '@/ui/notice';
import { type Difference, differences, fieldLabels } from './conflict';
import type { Values } from './values';

interface Props {
  draft: Draft<Values>;
  saved: Values;
  /** The version that is saved now. */
  version: number;
  onRestore: () => void;
  onDrop: () => void;
}

/** Offers what an earlier visit left unsaved, with what it would change. */
export function DraftBar({ draft, saved, version, onRestore, onDrop }: Props) {
  const [open, setOpen] = useState(false);
  const found = differences(saved, saved, draft.value);
  if (found.length === 0) return null;
  return (
    <Notice tone="info" title="There is a draft that was not saved">
      <p>
        Kept <Time at={draft.at} look="moment" />, differs in {plural(found.length, 'field')}. Passwords are not kept.
        {draft.version !== version && ' The connection was changed since.'}
      </p>
      <div className="mt-2 flex flex-wrap gap-2">
        <Button size="sm" intent="primary" onClick={onRestore}>
          Restore draft
        </Button>
        <Button size="sm" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? 'Hide differences' : 'Show differences'}
        </Button>
        <Button size="sm" intent="ghost" onClick={onDrop}>
          Discard draft
        </Button>
      </div>
      {open && <DifferenceList differences={found} />}
    </Notice>
  );
}

function DifferenceList({ differences: found }: { differences: readonly Difference[] }) {
  return (
    <dl className="mt-3 grid gap-x-4 gap-y-1.5 text-label sm:grid-cols-[10rem_minmax(0,1fr)]">
      {found.map((d) => (
        <div key={d.field} className="contents">
          <dt className="text-muted">{fieldLabels[d.field]}</dt>
          <dd className="font-mono break-words whitespace-pre-wrap">
            <del className="text-muted">{d.theirs || 'empty'}</del> <span aria-hidden>→</span>{' '}
            <ins className="no-underline">{d.mine || 'empty'}</ins>
          </dd>
        </div>
      ))}
    </dl>
  );
}
