import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { type Dispatch, useRef, useState } from 'react';
import { Conflict, describe, fieldErrors } from '@/api/errors';
import { useDeploy } from '@/api/mutations';
import { analysisQuery, type Tool, toolQuery, useCreateTool, useUpdateTool } from './api';
import { type BuilderAction, type BuilderState, reduce } from './builder-state';
import { byName, type FieldMessages, stillTrue } from './errors';
import { changedFields, type ToolForm, toDraft, unsendable } from './form';
import { asTool } from './snapshot';

const longestName = 64;
const ending = '_mine';

interface Failure {
  /** What was sent; a message stays until its field changes. */
  form: ToolForm;
  fields: FieldMessages;
  /** What belongs to no field. */
  general: string;
}

export interface Saving {
  pending: boolean;
  /** Somebody tried to save: empty fields are mistakes from now on. */
  tried: boolean;
  fields: FieldMessages;
  general: string;
  /** How often saving failed; grows with each attempt that did. */
  failures: number;
  /** Saves the form, or a state that is not on the screen yet; undefined when it did not succeed, with the reasons above. */
  save: (from?: BuilderState) => Promise<Tool | undefined>;
  /** Publishes everything that is saved; gives the number of the revision, undefined when no deploy began. */
  publish: () => Promise<number | undefined>;
  /** Saves the form as a tool of its own; its name changes a little where the old one is still taken. */
  saveCopy: (nameIsTaken: boolean) => Promise<Tool | undefined>;
}

/** The form with its parameters in line with the statement, also when the last keystroke was a moment ago. */
async function settle(
  now: BuilderState,
  client: QueryClient,
  dispatch: Dispatch<BuilderAction>,
): Promise<BuilderState> {
  const { connection_id, sql_query, transform, annotations } = now.form;
  if (sql_query.trim() === '') return now;
  const input = { connection_id: connection_id || undefined, sql_query, transform, annotations };
  const { parameters } = await client.fetchQuery(analysisQuery(input));
  const action: BuilderAction = { type: 'analysed', sql: sql_query, used: parameters };
  dispatch(action);
  return reduce(now, action);
}

/** Sends the form to the server, and keeps what it says against it. */
export function useSave(id: string | undefined, state: BuilderState, dispatch: Dispatch<BuilderAction>): Saving {
  const client = useQueryClient();
  const create = useCreateTool();
  const update = useUpdateTool();
  const deploy = useDeploy();
  const latest = useRef(state);
  latest.current = state;
  const [failure, setFailure] = useState<Failure>();
  const [tried, setTried] = useState(false);
  const [working, setWorking] = useState(false);
  const [failures, setFailures] = useState(0);

  const fail = (form: ToolForm, error: unknown): void => {
    const fields = byName(fieldErrors(error), form.parameters);
    const { cause, next } = describe(error);
    setFailures((n) => n + 1);
    setFailure({ form, fields, general: Object.keys(fields).length > 0 ? '' : `${cause} ${next}`.trim() });
  };

  const attempt = async (
    from: BuilderState,
    send: (settled: BuilderState) => Promise<Tool>,
  ): Promise<Tool | undefined> => {
    setTried(true);
    setFailure(undefined);
    setWorking(true);
    let { form } = from;
    try {
      const settled = await settle(from, client, dispatch);
      form = settled.form;
      const wrong = unsendable(toDraft(form));
      if (Object.keys(wrong).length > 0) {
        setFailures((n) => n + 1);
        setFailure({ form, fields: byName(wrong, form.parameters), general: '' });
        return undefined;
      }
      const tool = await send(settled);
      client.setQueryData(toolQuery(tool.id).queryKey, tool);
      return tool;
    } catch (error) {
      const theirs = error instanceof Conflict && id ? asTool(error.current) : undefined;
      // The bar that offers the review appears because the stored tool is newer; nothing else is to be said.
      if (theirs && id) client.setQueryData(toolQuery(id).queryKey, theirs);
      else fail(form, error);
      return undefined;
    } finally {
      setWorking(false);
    }
  };

  const save = async (from = latest.current): Promise<Tool | undefined> => {
    const { base } = from;
    const tool = await attempt(from, ({ form }) => {
      const draft = toDraft(form);
      if (!id) return create.mutateAsync(draft);
      return update.mutateAsync({ id, version: base.version, patch: changedFields(toDraft(base.form), draft) });
    });
    if (tool) {
      dispatch({ type: 'saved', tool });
      setTried(false);
    }
    return tool;
  };

  return {
    pending: working,
    tried,
    fields: failure ? stillTrue(failure.fields, failure.form, state.form) : {},
    general: failure?.general ?? '',
    failures,
    save,
    saveCopy: (nameIsTaken) =>
      attempt(latest.current, ({ form }) => {
        const draft = toDraft(form);
        const name = nameIsTaken ? `${draft.name.slice(0, longestName - ending.length)}${ending}` : draft.name;
        return create.mutateAsync({ ...draft, name });
      }),
    publish: async () => {
      setWorking(true);
      try {
        const { revision } = await deploy.mutateAsync({ note: '', acceptWarnings: false });
        return revision;
      } catch (error) {
        const general = `The tool is saved, but was not deployed. ${describe(error).cause}`;
        setFailure({ form: latest.current.form, fields: {}, general });
        return undefined;
      } finally {
        setWorking(false);
      }
    },
  };
}
