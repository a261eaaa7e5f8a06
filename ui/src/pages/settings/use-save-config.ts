import { useQueryClient } from '@tanstack/react-query';
import { api, body } from '@/api/client';
import { useApiMutation } from '@/api/mutations';
import { configQuery } from '@/api/queries';
import { toast } from '@/ui/toast-store';
import type { Patch } from './values';

/** Saves a part of the config. The answer becomes what the page shows, so the next save carries the right version. */
export function useSaveConfig() {
  const client = useQueryClient();
  return useApiMutation(['server_config'], async (patch: Patch) => {
    const saved = await body(api.PATCH('/api/v1/server/config', { body: patch }));
    client.setQueryData(configQuery.queryKey, saved);
    toast(`Saved · version ${saved.version}`);
    return saved;
  });
}
