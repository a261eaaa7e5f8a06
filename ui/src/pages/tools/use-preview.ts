import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { describe, fieldErrors } from '@/api/errors';
import { equal } from '@/editing/equal';
import { announce } from '@/lib/announce';
import { plural } from '@/lib/format';
import { type Preview, type PreviewOut, runPreview } from './api';
import { argumentsOf, type ToolForm, toDraft } from './form';

export interface PreviewRun {
  /** The last result; it stays until the next one is there. */
  result: PreviewOut | undefined;
  /** What that result came from, to say when the form has moved on. */
  input: Preview | undefined;
  error: unknown;
  /** What the server said about single test values, by parameter, for the values that failed. */
  argumentErrors: Readonly<Record<string, { message: string; value: unknown }>>;
  /** When the run that is under way began, in milliseconds since the epoch. */
  since: number | undefined;
  run: (form: ToolForm, tests: Readonly<Record<string, string>>) => void;
  cancel: () => void;
}

function previewInput(form: ToolForm, tests: Readonly<Record<string, string>>): Preview {
  const draft = toDraft(form);
  return {
    connection_id: draft.connection_id,
    sql_query: draft.sql_query,
    parameters: draft.parameters,
    arguments: argumentsOf(form.parameters, tests),
    transform: draft.transform,
    content: draft.content,
    name: draft.name,
  };
}

/** The messages of an error that are about test values, by the name of the parameter. */
function argumentErrors(error: unknown, given: Readonly<Record<string, unknown>>): PreviewRun['argumentErrors'] {
  const prefix = 'arguments.';
  const found = Object.entries(fieldErrors(error)).filter(([field]) => field.startsWith(prefix));
  return Object.fromEntries(
    found.map(([field, message]) => {
      const name = field.slice(prefix.length);
      return [name, { message, value: given[name] }];
    }),
  );
}

/** Whether a result still belongs to the form. The name changes nothing about it. */
export function isCurrent(input: Preview, form: ToolForm, tests: Readonly<Record<string, string>>): boolean {
  return equal({ ...input, name: '' }, { ...previewInput(form, tests), name: '' });
}

interface Last extends Pick<PreviewRun, 'result' | 'input' | 'error'> {
  /** What the run that failed was given. */
  failed: Preview | undefined;
}

const nothing: Last = { result: undefined, input: undefined, error: undefined, failed: undefined };

export const previewKey = (id: string | undefined) => ['preview', id ?? 'new'];

/** Runs previews one at a time; a new run replaces the one before. Cancelling also stops the query on the server. */
export function usePreview(id: string | undefined): PreviewRun {
  const client = useQueryClient();
  const key = previewKey(id);
  // A result outlives the page for a while: leaving a tool and coming back, or saving a new one, keeps it.
  const [last, setLast] = useState<Last>(() => client.getQueryData<Last>(key) ?? nothing);
  const [since, setSince] = useState<number>();
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);

  const run = async (input: Preview) => {
    running.current?.abort();
    const control = new AbortController();
    running.current = control;
    setSince(Date.now());
    try {
      const result = await runPreview(input, control.signal);
      if (control.signal.aborted) return;
      const next = { result, input, error: undefined, failed: undefined };
      client.setQueryData<Last>(key, next);
      setLast(next);
      announce(`Preview: ${plural(result.row_count, 'row')}.`);
    } catch (error) {
      if (control.signal.aborted) return;
      setLast((before) => ({ ...before, error, failed: input }));
      announce(`Preview failed. ${describe(error).cause}`, 'assertive');
    } finally {
      if (running.current === control) {
        running.current = undefined;
        setSince(undefined);
      }
    }
  };
  const { result, input, error } = last;
  return {
    result,
    input,
    error,
    argumentErrors: argumentErrors(last.error, last.failed?.arguments ?? {}),
    since,
    run: (form, tests) => void run(previewInput(form, tests)),
    cancel: () => {
      running.current?.abort();
      running.current = undefined;
      setSince(undefined);
    },
  };
}
