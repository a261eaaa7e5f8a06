import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { api, body } from '@/api/client';
import { describe } from '@/api/errors';
import { connectionHealthQuery } from '@/api/queries';
import { announce } from '@/lib/announce';
import { plural } from '@/lib/format';

export interface BatchItem {
  id: string;
  name: string;
}

export interface Batch {
  total: number;
  done: number;
  running: boolean;
  /** The one that is tested now. */
  current: string | undefined;
  /** Tests that failed, or did not start, in words. */
  failed: readonly { name: string; id: string; message: string }[];
}

interface BatchTest {
  /** Undefined before the first run and after its result was dismissed. */
  batch: Batch | undefined;
  start: (items: readonly BatchItem[]) => Promise<void>;
  cancel: () => void;
  dismiss: () => void;
}

/** Tests saved connections one after the other: a workbench and a network are shared, and order makes progress readable. */
export function useBatchTest(): BatchTest {
  const client = useQueryClient();
  const [batch, setBatch] = useState<Batch>();
  const abort = useRef<AbortController>(undefined);
  useEffect(() => () => abort.current?.abort(), []);

  const start = async (items: readonly BatchItem[]) => {
    abort.current?.abort();
    const controller = new AbortController();
    abort.current = controller;
    let state: Batch = { total: items.length, done: 0, running: true, current: undefined, failed: [] };
    for (const item of items) {
      state = { ...state, current: item.id };
      setBatch(state);
      const message = await testOne(item.id, controller.signal);
      if (controller.signal.aborted) break;
      const failed = message ? [...state.failed, { ...item, message }] : state.failed;
      state = { ...state, done: state.done + 1, failed };
      void client.invalidateQueries({ queryKey: connectionHealthQuery.queryKey });
    }
    // A newer run owns what is shown.
    if (abort.current !== controller) return;
    setBatch({ ...state, running: false, current: undefined });
    announce(`${plural(state.done, 'connection')} tested, ${state.failed.length} failed.`);
  };
  return { batch, start, cancel: () => abort.current?.abort(), dismiss: () => setBatch(undefined) };
}

/** What went wrong; empty when nothing did. */
async function testOne(id: string, signal: AbortSignal): Promise<string> {
  try {
    const result = await body(api.POST('/api/v1/connections/{id}/test', { params: { path: { id } }, signal }));
    return result.success ? '' : (result.steps.findLast((s) => !s.ok)?.message ?? 'The test failed.');
  } catch (error) {
    return describe(error).cause;
  }
}
