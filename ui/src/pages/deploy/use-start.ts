import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useRef, useState } from 'react';
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

/** What is filled in before a deploy, and the press of its button. `onRefused` shows what stands in the way. */
export function useStart(onRefused: () => void): Start {
  const client = useQueryClient();
  const { mutate, isPending, error } = useDeploy();
  const [note, setNote] = useState('');
  const [accepted, setAccepted] = useState(false);
  const refused = useRef(onRefused);
  refused.current = onRefused;
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
        onError: () => {
          void client.invalidateQueries({ queryKey: ['deploy', 'diff'] });
          refused.current();
        },
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
