import { Save } from 'lucide-react';
import { type ReactNode, useEffect, useMemo, useRef } from 'react';
import { describe } from '@/api/errors';
import { useActions } from '@/app/actions';
import { EditingBars } from '@/editing/editing-bars';
import { LeaveDialog } from '@/editing/leave-dialog';
import { buttons, states } from '@/lib/words';
import { Button } from '@/ui/button';
import { focusFirstError } from '@/ui/form-errors';
import { Notice } from '@/ui/notice';
import type { Section } from './use-section';

interface Props<F> {
  section: Section<F>;
  /** At the start of a sentence, in the singular: "The general section". */
  what: string;
  /** The card with the fields; the foot closes it. */
  children: (foot: ReactNode) => ReactNode;
}

/** The form around a section: what has to be decided first, the fields, and a foot that says where it stands and saves. */
export function SectionForm<F>({ section, what, children }: Props<F>) {
  const form = useRef<HTMLFormElement>(null);
  const { editing, pending, error, save, saveMerged, discard } = section;
  const orShow = async (saved: Promise<boolean>) => {
    if (!(await saved)) setTimeout(() => focusFirstError(form.current));
  };
  useSaveAction(() => void orShow(save()));
  return (
    <form
      ref={form}
      noValidate
      className="grid grid-cols-1 gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        void orShow(save());
      }}
    >
      <EditingBars
        editing={editing}
        subject="These settings were"
        kind="server_config"
        pending={pending}
        onSave={(theirs, next) => void orShow(saveMerged(theirs, next))}
      />
      {children(
        <div className="grid gap-3 border-t border-line px-4 py-3">
          {Boolean(error) && (
            <div role="alert">
              <Notice tone="bad" title="Not saved">
                {describe(error).cause} {describe(error).next}
              </Notice>
            </div>
          )}
          <div className="flex flex-wrap items-center gap-2">
            <span className="text-label text-muted" role="status">
              {editing.dirty ? states.unsaved : 'Everything is saved'}
            </span>
            <span className="ml-auto flex gap-2">
              {editing.dirty && (
                <Button intent="ghost" onClick={discard}>
                  Discard
                </Button>
              )}
              <Button type="submit" intent="primary" pending={pending}>
                {buttons.save}
              </Button>
            </span>
          </div>
        </div>,
      )}
      <LeaveDialog dirty={editing.dirty} what={what} onSave={save} />
    </form>
  );
}

/** The action is registered once; it runs what the latest render knows. */
function useSaveAction(save: () => void): void {
  const latest = useRef(save);
  useEffect(() => {
    latest.current = save;
  });
  useActions(
    'page',
    useMemo(
      () => [{ id: 'settings save', label: 'Save settings', icon: Save, keys: 'mod+s', run: () => latest.current() }],
      [],
    ),
  );
}
