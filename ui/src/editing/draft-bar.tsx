import { useState } from 'react';
import { formatMoment, plural } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { buttons } from '@/lib/words';
import { Button } from '@/ui/button';
import { Dialog } from '@/ui/dialog';
import { Bar } from './bar';
import type { Draft } from './drafts';
import { FieldChanges } from './field-changes';
import { changesBetween, type FieldTable } from './fields';

interface Props<F> {
  draft: Draft<F>;
  fields: FieldTable<F>;
  /** What the draft would replace. */
  form: F;
  /** The version that is stored now. */
  version: number;
  onRestore: () => void;
  onDiscard: () => void;
}

/** Offers the unsaved changes of an earlier visit. */
export function DraftBar<F>({ draft, fields, form, version, onRestore, onDiscard }: Props<F>) {
  const now = useNow(60_000);
  const [showing, setShowing] = useState(false);
  const moment = formatMoment(new Date(draft.at), now);
  const changes = changesBetween(fields, form, draft.form);
  const restore = () => {
    setShowing(false);
    onRestore();
  };
  return (
    <Bar
      tone="info"
      actions={
        <>
          <Button size="sm" intent="primary" onClick={restore}>
            Restore draft
          </Button>
          <Button size="sm" onClick={() => setShowing(true)}>
            Show differences
          </Button>
          <Button size="sm" intent="ghost" onClick={onDiscard}>
            Discard draft
          </Button>
        </>
      }
    >
      There is a draft from {moment} that was not saved. It differs in {plural(changes.length, 'field')}.
      {draft.base.version < version && ` Version ${version} was saved since.`}
      <Dialog
        open={showing}
        onClose={() => setShowing(false)}
        size="lg"
        title={`Draft from ${moment}`}
        description="What restoring it would change."
        footer={
          <>
            <Button onClick={() => setShowing(false)}>{buttons.close}</Button>
            <Button intent="primary" onClick={restore}>
              Restore draft
            </Button>
          </>
        }
      >
        <FieldChanges changes={changes} />
      </Dialog>
    </Bar>
  );
}
