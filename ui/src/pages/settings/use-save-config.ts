import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, body } from '@/api/client';
import { Conflict } from '@/api/errors';
import { useApiMutation } from '@/api/mutations';
import { configQuery } from '@/api/queries';
import { toast } from '@/ui/toast-store';
import type { Config, Patch } from './values';

interface Saving {
  pending: boolean;
  /** Why it was not saved. A conflict is none: its bar says more. */
  error: unknown;
  /** Undefined when it was not saved. */
  save: (patch: Patch) => Promise<Config | undefined>;
  reset: () => void;
}

/** Saves a part of the config. The answer becomes what the page shows, so the next save carries the right version. */
export function useSaveConfig(): Saving {
  const client = useQueryClient();
  const [pending, setPending] = useState(false);
  const [error, setError] = useState<unknown>(undefined);
  const { mutateAsync: send } = useApiMutation(['server_config'], (patch: Patch) =>
    body(api.PATCH('/api/v1/server/config', { body: patch })),
  );
  const save = async (patch: Patch) => {
    setPending(true);
    setError(undefined);
    try {
      const saved = await send(patch);
      client.setQueryData(configQuery.queryKey, saved);
      toast(`Saved · version ${saved.version}`);
      return saved;
    } catch (cause) {
      const theirs = cause instanceof Conflict ? asConfig(cause.current) : undefined;
      // The bar that offers the review appears because what is stored is newer; nothing else is to be said.
      if (theirs) client.setQueryData(configQuery.queryKey, theirs);
      else setError(cause);
      return undefined;
    } finally {
      setPending(false);
    }
  };
  return { pending, error, save, reset: () => setError(undefined) };
}

/** The state that came with a conflict. */
function asConfig(current: unknown): Config | undefined {
  const isConfig = (value: unknown): value is Config =>
    typeof value === 'object' && value !== null && 'server_name' in value && 'version' in value;
  return isConfig(current) ? current : undefined;
}
