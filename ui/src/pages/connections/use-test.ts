import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { api, body } from '@/api/client';
import { connectionHealthQuery } from '@/api/queries';
import type { components } from '@/api/schema';
import { announce } from '@/lib/announce';
import { formatDuration } from '@/lib/format';
import { type Connection, draftOf, type Secrets, type Values } from './values';

export type TestResult = components['schemas']['TestResult'];

export type TestState =
  | { phase: 'idle' }
  | { phase: 'running'; since: number }
  | { phase: 'done'; result: TestResult; values: Values; unsaved: boolean };

interface Subject {
  saved: Connection | undefined;
  values: Values;
  secrets: Secrets;
  dirty: boolean;
}

interface Test {
  state: TestState;
  /** Rejects when the test could not be started at all; a test that failed is a result. */
  run: (subject: Subject) => Promise<void>;
  /** Leaving the request ends the test on the server too. */
  cancel: () => void;
  /** After values that were tested are saved: tests once more what is stored, so that its health is known from the start. */
  record: (id: string) => Promise<void>;
}

export function useTest(): Test {
  const client = useQueryClient();
  const [state, setState] = useState<TestState>({ phase: 'idle' });
  const abort = useRef<AbortController>(undefined);
  useEffect(() => () => abort.current?.abort(), []);

  const run = async ({ saved, values, secrets, dirty }: Subject) => {
    abort.current?.abort();
    const controller = new AbortController();
    abort.current = controller;
    const { signal } = controller;
    setState({ phase: 'running', since: Date.now() });
    announce('Testing the connection.');
    try {
      // Only a test of what is saved is the connection's health.
      const result =
        saved && !dirty
          ? await body(api.POST('/api/v1/connections/{id}/test', { params: { path: { id: saved.id } }, signal }))
          : await body(
              api.POST('/api/v1/connections/test', { body: { ...draftOf(values, secrets), id: saved?.id }, signal }),
            );
      setState({ phase: 'done', result, values, unsaved: dirty });
      announce(result.success ? `The test succeeded in ${formatDuration(total(result))}.` : 'The test failed.');
      if (saved && !dirty) void client.invalidateQueries({ queryKey: connectionHealthQuery.queryKey });
    } catch (error) {
      if (abort.current === controller) setState({ phase: 'idle' });
      if (!signal.aborted) throw error;
    }
  };
  const record = async (id: string) => {
    // A failure shows in the health that is read again, like every other.
    await api.POST('/api/v1/connections/{id}/test', { params: { path: { id } } }).catch(() => undefined);
    await client.invalidateQueries({ queryKey: connectionHealthQuery.queryKey });
  };
  return { state, run, cancel: () => abort.current?.abort(), record };
}

/** The time of all steps together. */
export const total = (result: TestResult): number => result.steps.reduce((sum, step) => sum + step.ms, 0);
