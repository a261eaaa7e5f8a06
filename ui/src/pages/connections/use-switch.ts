import { useState } from 'react';
import { describe } from '@/api/errors';
import { useSaveConnection } from '@/api/mutations';
import { buttons, states } from '@/lib/words';
import { toast } from '@/ui/toast-store';
import type { Connection } from './values';

interface Switch {
  /** Why the last change did not happen; empty otherwise. */
  problem: string;
  change: (connection: Connection, on: boolean) => void;
}

/** Enables or disables at once, and offers to take it back. */
export function useSwitch(): Switch {
  const save = useSaveConnection();
  const [problem, setProblem] = useState('');
  const set = async (connection: Connection, on: boolean, undoable: boolean) => {
    setProblem('');
    try {
      const saved = await save.mutateAsync({
        id: connection.id,
        patch: { version: connection.version, is_active: on },
      });
      const undo = { label: buttons.undo, run: () => void set(saved, !on, false) };
      toast(`${on ? states.enabled : states.disabled} ${saved.name}.`, undoable ? { action: undo } : {});
    } catch (error) {
      setProblem(`${connection.name} was not ${on ? 'enabled' : 'disabled'}. ${describe(error).cause}`);
    }
  };
  return { problem, change: (connection, on) => void set(connection, on, true) };
}
