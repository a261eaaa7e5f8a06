import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Time } from '@/components/time';
import { Button } from '@/ui/button';
import { type Tool, toolHistoryQuery } from './api';
import { Bar } from './bar';
import type { BuilderState } from './builder-state';
import { fromTool, type ToolForm } from './form';
import { ReviewDialog } from './review-dialog';
import { actorName } from './words';

interface Props {
  state: BuilderState;
  theirs: Tool;
  connectionName: (id: string) => string;
  pending: boolean;
  /** Goes on with a merged form on top of theirs. */
  onMerge: (form: ToolForm, save: boolean) => void;
  onCopy: () => void;
  onDiscard: () => void;
}

/** Somebody else saved this tool while it was edited here. A bar and no toast: it stays until it is decided. */
export function ConflictBar({ state, theirs, connectionName, pending, onMerge, onCopy, onDiscard }: Props) {
  const [reviewing, setReviewing] = useState(false);
  const history = useQuery(toolHistoryQuery(theirs.id, 1));
  const who = history.data?.items[0]?.actor;
  return (
    <Bar
      tone="warn"
      urgent
      actions={
        <>
          <Button size="sm" onClick={() => setReviewing(true)}>
            Review differences
          </Button>
          <Button size="sm" pending={pending} onClick={onCopy}>
            Save mine as a copy
          </Button>
          <Button size="sm" intent="ghost" onClick={onDiscard}>
            Discard mine
          </Button>
        </>
      }
    >
      This tool was changed {who && <>by {actorName(who)} </>}
      <Time at={theirs.updated_at} /> (version {theirs.version}). Your changes are not saved.
      {reviewing && (
        <ReviewDialog
          base={state.base.form}
          mine={state.form}
          theirs={fromTool(theirs)}
          connectionName={connectionName}
          onClose={() => setReviewing(false)}
          onMerge={(form, save) => {
            setReviewing(false);
            onMerge(form, save);
          }}
        />
      )}
    </Bar>
  );
}
