import { ConflictBar } from './conflict-bar';
import { DraftBar } from './draft-bar';
import type { Editing } from './use-editing';

interface Stored {
  id: string;
  version: number;
  updated_at: string;
}

interface Props<E, F> {
  editing: Editing<E, F>;
  /** "This connection was", "These settings were". */
  subject: string;
  /** The kind of entity, as the history names it. */
  kind: string;
  pending: boolean;
  /** Saves the outcome of a review on top of theirs. */
  onSave: (theirs: E, form: F) => void;
  /** Absent where there can be only one. */
  onCopy?: () => void;
  onRestored?: () => void;
  onDiscarded?: () => void;
}

/** What has to be decided before going on with a form: a newer version of somebody else, a draft of an earlier visit. */
export function EditingBars<E extends Stored, F>(props: Props<E, F>) {
  const { editing, subject, kind, pending, onSave, onCopy, onRestored, onDiscarded } = props;
  const { fields, base, form, theirs, drafts } = editing;
  return (
    <>
      {theirs && (
        <ConflictBar
          subject={subject}
          entity={{ type: kind, id: theirs.id }}
          stored={theirs}
          fields={fields}
          base={base.form}
          mine={form}
          theirs={editing.formOf(theirs)}
          pending={pending}
          onMerge={(next, now) => (now ? onSave(theirs, next) : editing.goOn(theirs, next))}
          onCopy={onCopy}
          onDiscard={() => {
            editing.goOn(theirs);
            onDiscarded?.();
          }}
        />
      )}
      {drafts.offer && (
        <DraftBar
          draft={drafts.offer}
          fields={fields}
          form={form}
          version={base.version}
          onRestore={() => {
            editing.restore();
            onRestored?.();
          }}
          onDiscard={drafts.settle}
        />
      )}
    </>
  );
}
