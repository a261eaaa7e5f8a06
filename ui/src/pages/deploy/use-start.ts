import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useState } from 'react';
import { describe } from '@/api/errors';
import { useDeploy } from '@/api/mutations';

export interface Start {
  note: string;
  setNote: (note: string) => void;
  accepted: boolean;
  setAccepted: (accepted: boolean) => void;
  pending: boolean;
  /** Why the last attempt did not start; empty when it did. */
  problem: string;
  run: () => void;
}

/** What is filled in before a deploy, and the press of its button. */
export function useStart(): Start {
  const client = useQueryClient();
  const { mutate, isPending, error } = useDeploy();
  const [note, setNote] = useState('');
  const [accepted, setAccepted] = useState(false);
  const run = useCallback(() => {
    if (isPending) return;
    mutate(
      { note: note.trim(), acceptWarnings: accepted },
      {
        // How it goes is shown below and announced there.
        onSuccess: () => {
          setNote('');
          setAccepted(false);
        },
        // What stands in the way is listed with the changes.
        onError: () => void client.invalidateQueries({ queryKey: ['deploy', 'diff'] }),
      },
    );
  }, [client, mutate, isPending, note, accepted]);
  const { cause, next } = describe(error);
  return {
    note,
    setNote,
    accepted,
    setAccepted,
    pending: isPending,
    problem: error ? `${cause} ${next}`.trim() : '',
    run,
  };
}
