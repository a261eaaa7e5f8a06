import { useState } from 'react';
import { formatMoment } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { Button } from '@/ui/button';
import { Dialog } from '@/ui/dialog';
import { Bar } from './bar';
import type { StoredDraft } from './drafts';
import { FieldChanges } from './field-changes';
import { changesBetween, flatten } from './fields';
import type { ToolForm } from './form';

interface Props {
  draft: StoredDraft;
  /** What the draft would replace. */
  form: ToolForm;
  connectionName: (id: string) => string;
  onRestore: () => void;
  onDiscard: () => void;
}

/** Offers the unsaved changes of an earlier visit. */
export function DraftBar({ draft, form, connectionName, onRestore, onDiscard }: Props) {
  const now = useNow(60_000);
  const [showing, setShowing] = useState(false);
  const moment = formatMoment(new Date(draft.at), now);
  const restore = () => {
    setShowing(false);
    onRestore();
  };
  return (
    <Bar
      tone="info"
      actions={
        <>
          <Button size="sm" onClick={() => setShowing(true)}>
            Show differences
          </Button>
          <Button size="sm" onClick={restore}>
            Restore draft
          </Button>
          <Button size="sm" intent="ghost" onClick={onDiscard}>
            Discard it
          </Button>
        </>
      }
    >
      There is a draft from {moment} that was not saved.
      <Dialog
        open={showing}
        onClose={() => setShowing(false)}
        size="lg"
        title={`Draft from ${moment}`}
        description="What restoring it would change."
        footer={
          <>
            <Button onClick={() => setShowing(false)}>Close</Button>
            <Button intent="primary" onClick={restore}>
              Restore draft
            </Button>
          </>
        }
      >
        <FieldChanges changes={changesBetween(flatten(form), flatten(draft.form))} connectionName={connectionName} />
      </Dialog>
    </Bar>
  );
}
