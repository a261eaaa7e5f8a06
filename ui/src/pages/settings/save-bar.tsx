import { Conflict, describe } from '@/api/errors';
import { Button } from '@/ui/button';
import { Notice } from '@/ui/notice';

interface Props {
  dirty: boolean;
  pending: boolean;
  error: unknown;
  onDiscard: () => void;
  /** Somebody else saved first: take theirs, or save mine over it. */
  onTheirs: () => void;
  onMine: () => void;
}

/** The foot of a settings form: what state it is in, and Save. */
export function SaveBar({ dirty, pending, error, onDiscard, onTheirs, onMine }: Props) {
  const conflict = error instanceof Conflict;
  return (
    <div className="grid gap-3 border-t border-line px-4 py-3">
      {conflict && (
        <Notice
          tone="warn"
          title="Somebody else saved these settings first"
          action={
            <span className="flex flex-wrap gap-2">
              <Button size="sm" onClick={onTheirs}>
                Show theirs
              </Button>
              <Button size="sm" intent="danger" onClick={onMine}>
                Save mine over it
              </Button>
            </span>
          }
        >
          What you typed is still here.
        </Notice>
      )}
      {!conflict && Boolean(error) && (
        <div role="alert">
          <Notice tone="bad" title="Not saved">
            {describe(error).cause} {describe(error).next}
          </Notice>
        </div>
      )}
      <div className="flex flex-wrap items-center gap-2">
        <span className="text-label text-muted" role="status">
          {dirty ? 'Unsaved changes' : 'Everything is saved'}
        </span>
        <span className="ml-auto flex gap-2">
          {dirty && (
            <Button intent="ghost" onClick={onDiscard}>
              Discard
            </Button>
          )}
          <Button type="submit" intent="primary" pending={pending}>
            Save
          </Button>
        </span>
      </div>
    </div>
  );
}
