import { type UseMutationResult, useMutation, useQueryClient } from '@tanstack/react-query';
import { useCallback, useRef } from 'react';
import { api, body, done } from './client';
import { connectionQuery } from './queries';
import { invalidateKind } from './query-client';
import type { components } from './schema';

/**
 * A mutation that renews what depends on the kinds it changes before it counts as finished, so that a page never
 * shows the old state after "Saved". Errors stay with the caller, beside the button that was pressed.
 *
 * What is under way is not started again with the same input: the second press of a double click comes before the
 * first one is drawn as pending, and its answer would take the place of the first one's.
 */
export function useApiMutation<In, Out>(
  kinds: readonly string[],
  run: (input: In) => Promise<Out>,
): UseMutationResult<Out, unknown, In> {
  const client = useQueryClient();
  const underWay = useRef(new Set<string>());
  const mutation = useMutation<Out, unknown, In>({
    mutationFn: (input) => run(input).finally(() => underWay.current.delete(keyOf(input))),
    onSuccess: () => Promise.all(kinds.map((kind) => invalidateKind(client, kind))),
  });
  const { mutate } = mutation;
  const once = useCallback(
    (...args: Parameters<typeof mutate>) => {
      const key = keyOf(args[0]);
      if (underWay.current.has(key)) return;
      underWay.current.add(key);
      mutate(...args);
    },
    [mutate],
  );
  return { ...mutation, mutate: once };
}

const keyOf = (input: unknown): string => JSON.stringify(input) ?? '';

export const useAddSample = () =>
  useApiMutation(['connection', 'tool', 'resource', 'prompt', 'revision'], () =>
    body(api.POST('/api/v1/sample', { body: { deploy: true } })),
  );

export const useRemoveSample = () =>
  useApiMutation(['connection', 'tool', 'resource', 'prompt', 'revision'], () => done(api.DELETE('/api/v1/sample')));

export const useDeploy = () =>
  useApiMutation(['revision'], (input: { note: string; acceptWarnings: boolean }) =>
    body(api.POST('/api/v1/deploy', { body: { note: input.note, accept_warnings: input.acceptWarnings } })),
  );

export const useActivateRevision = () =>
  useApiMutation(['revision'], (number: number) =>
    body(api.POST('/api/v1/deploy/revisions/{number}/activate', { params: { path: { number } }, body: {} })),
  );

export const useStopServer = () => useApiMutation(['revision'], () => done(api.POST('/api/v1/deploy/stop')));

type Schemas = components['schemas'];

export const useCreateConnection = () =>
  useApiMutation(['connection'], (draft: Schemas['ConnectionDraft']) =>
    body(api.POST('/api/v1/connections', { body: draft })),
  );

/** Saves part of a connection. The answer is in the cache at once, so that the next save carries the right version. */
export function useSaveConnection() {
  const client = useQueryClient();
  return useApiMutation(['connection'], async ({ id, patch }: { id: string; patch: Schemas['ConnectionPatch'] }) => {
    const saved = await body(api.PATCH('/api/v1/connections/{id}', { params: { path: { id } }, body: patch }));
    client.setQueryData(connectionQuery(id).queryKey, saved);
    void client.invalidateQueries({ queryKey: ['schema', id] });
    return saved;
  });
}

/** With cascade, the tools and resources that use it go too. */
export const useDeleteConnection = () =>
  useApiMutation(['connection', 'tool', 'resource'], ({ id, cascade }: { id: string; cascade: boolean }) =>
    done(api.DELETE('/api/v1/connections/{id}', { params: { path: { id }, query: cascade ? { cascade } : {} } })),
  );
