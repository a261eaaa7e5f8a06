import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { entityHistoryQuery } from '@/api/queries';
import { Time } from '@/components/time';
import { Button } from '@/ui/button';
import { Notice } from '@/ui/notice';
import { ReviewDialog } from './review-dialog';
import type { Form } from './use-form';
import type { Connection, Values } from './values';

interface Props {
  form: Form;
  saved: Connection;
  theirs: Connection;
  onCopy: () => void;
}

/** Somebody else saved first. Nothing is overwritten but inside the review. */
export function ConflictBar({ form, saved, theirs, onCopy }: Props) {
  const [reviewing, setReviewing] = useState(false);
  const history = useQuery(entityHistoryQuery('connection', theirs.id));
  const actor = history.data?.items[0]?.actor;
  const who = actor
    ? actor.kind === 'admin'
      ? actor.name || 'the admin'
      : `${actor.kind} ${actor.name}`
    : 'somebody else';
  const apply = (values: Values) => {
    form.rebase(theirs, values);
    setReviewing(false);
  };
  return (
    <div role="alert">
      <Notice tone="warn" title={`This connection was changed by ${who}`}>
        <p>
          <Time at={theirs.updated_at} />, version {theirs.version}. What you typed is still here.
        </p>
        <div className="mt-2 flex flex-wrap gap-2">
          <Button size="sm" intent="primary" onClick={() => setReviewing(true)}>
            Review differences
          </Button>
          <Button size="sm" onClick={onCopy}>
            Save mine as a copy
          </Button>
          <Button size="sm" intent="ghost" onClick={form.discard}>
            Discard mine
          </Button>
        </div>
      </Notice>
      {reviewing && (
        <ReviewDialog
          saved={saved}
          theirs={theirs}
          mine={form.values}
          onClose={() => setReviewing(false)}
          onApply={apply}
        />
      )}
    </div>
  );
}
