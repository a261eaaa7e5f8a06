import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Conflict, describe, fieldErrors } from '@/api/errors';
import { useCreateConnection, useSaveConnection } from '@/api/mutations';
import { connectionQuery } from '@/api/queries';
import { draftKey } from '@/editing/drafts';
import { type Editing, useEditing } from '@/editing/use-editing';
import { connectionFields } from './fields';
import {
  anyTyped,
  askedAgain,
  type Connection,
  draftOf,
  fresh,
  patchOf,
  type Secrets,
  unsendable,
  type Values,
  valuesOf,
} from './values';

export type Errors = Readonly<Record<string, string>>;

export interface Form {
  editing: Editing<Connection, Values>;
  /** What the typed values change; undefined for a connection that does not exist yet. */
  saved: Connection | undefined;
  values: Values;
  secrets: Secrets;
  dirty: boolean;
  /** A secret was typed: no draft keeps it. */
  unkept: boolean;
  /** By the server's field names; '' is about no field. */
  errors: Errors;
  /** Grows with each refusal: the page moves the focus to the first error. */
  refusals: number;
  pending: boolean;
  change: (part: Partial<Values>) => void;
  /** Undefined: leave the stored secret as it is. */
  changeSecret: (name: string, value: string | null | undefined) => void;
  replace: (values: Values, secrets?: Secrets) => void;
  /** Whether it could be sent as it is; if not, the errors say why. What is valid is the server's to say. */
  check: () => boolean;
  showErrors: (error: unknown) => void;
  save: () => Promise<Connection | undefined>;
  /** Saves the outcome of a review on top of theirs. */
  saveMerged: (theirs: Connection, values: Values) => Promise<Connection | undefined>;
  saveCopy: () => Promise<Connection | undefined>;
  /** Drops what was said about values that are no longer there. */
  forget: (what: 'errors' | 'secrets too') => void;
}

/** The state of the form. It outlives the tab that shows it, and follows the server as long as nothing was typed. */
export function useForm(current: Connection | undefined): Form {
  const client = useQueryClient();
  const [secrets, setSecrets] = useState<Secrets>({});
  const { errors, refusals, refuse, forget, showErrors } = useErrors();
  const create = useCreateConnection();
  const update = useSaveConnection();
  const [pending, setPending] = useState(false);
  const unkept = anyTyped(secrets);
  const editing = useEditing({
    key: draftKey('connection', current?.id),
    fields: connectionFields,
    stored: current,
    formOf: valuesOf,
    blank: fresh,
    unkept,
    saving: pending,
  });
  const { saved, form: values, change } = editing;

  const judge = (from: Connection | undefined, next: Values) => {
    const found = unsendable(next);
    for (const name of from ? askedAgain(from, next, secrets) : []) {
      found[name === 'password' ? name : `extra_params.${name}`] = 'Enter it again, or remove it.';
    }
    refuse(found);
    return Object.keys(found).length === 0;
  };
  const send = async (from: Connection | undefined, next: Values, work: () => Promise<Connection>) => {
    if (pending || !judge(from, next)) return undefined;
    setPending(true);
    try {
      return await work();
    } catch (error) {
      const other = error instanceof Conflict ? asConnection(error.current) : undefined;
      // The bar that offers the review appears because what is stored is newer; nothing else is to be said.
      if (other) client.setQueryData(connectionQuery(other.id).queryKey, other);
      else showErrors(error);
      return undefined;
    } finally {
      setPending(false);
    }
  };
  const save = (from: Connection | undefined, next: Values) =>
    send(from, next, async () => {
      const now = from
        ? await update.mutateAsync({ id: from.id, patch: patchOf(from, next, secrets) })
        : await create.mutateAsync(draftOf(next, secrets));
      editing.goOn(now);
      setSecrets({});
      forget();
      return now;
    });

  return {
    editing,
    saved,
    values,
    secrets,
    dirty: editing.dirty,
    unkept,
    errors,
    refusals,
    pending,
    change: (part) => {
      change((old) => ({ ...old, ...part }));
      forget(Object.keys(part));
    },
    changeSecret: (name, value) => {
      setSecrets((old) => {
        const { [name]: _, ...rest } = old;
        return value === undefined ? rest : { ...rest, [name]: value };
      });
      forget([name, `extra_params.${name}`]);
    },
    replace: (next, nextSecrets = {}) => {
      change(next);
      setSecrets((old) => ({ ...old, ...nextSecrets }));
      forget();
    },
    check: () => judge(saved, values),
    showErrors,
    save: () => save(saved, values),
    saveMerged: (theirs, merged) => {
      editing.goOn(theirs, merged);
      return save(theirs, merged);
    },
    saveCopy: () =>
      send(saved, values, () => create.mutateAsync(draftOf({ ...values, name: `${values.name} (copy)` }, secrets))),
    forget: (what) => {
      if (what === 'secrets too') setSecrets({});
      forget();
    },
  };
}

interface FormProblems {
  errors: Errors;
  refusals: number;
  refuse: (found: Errors) => void;
  /** Drops the errors of these fields; without any, all. */
  forget: (fields?: readonly string[]) => void;
  /** What the server said, at its fields where it named some. */
  showErrors: (error: unknown) => void;
}

function useErrors(): FormProblems {
  const [errors, setErrors] = useState<Errors>({});
  const [refusals, setRefusals] = useState(0);
  const refuse = (found: Errors) => {
    setErrors(found);
    setRefusals((n) => n + 1);
  };
  return {
    errors,
    refusals,
    refuse,
    forget: (fields) => setErrors((old) => (fields ? without(old, fields) : {})),
    showErrors: (error) => {
      const fields = fieldErrors(error);
      const { cause, next } = describe(error);
      refuse(Object.keys(fields).length > 0 ? fields : { '': `${cause} ${next}`.trim() });
    },
  };
}

function without(errors: Errors, fields: readonly string[]): Errors {
  const options = fields.includes('options');
  const kept = Object.entries(errors).filter(
    ([name]) => name !== '' && !fields.includes(wireName(name)) && !(options && name.startsWith('extra_params')),
  );
  return kept.length === Object.keys(errors).length ? errors : Object.fromEntries(kept);
}

/** The form counts the result size in KiB, the server in bytes. */
const wireName = (name: string): string => (name === 'max_result_bytes' ? 'max_result_kib' : name);

/** The state that came with a conflict. */
function asConnection(current: unknown): Connection | undefined {
  const isConnection = (value: unknown): value is Connection =>
    typeof value === 'object' && value !== null && 'db_type' in value && 'version' in value;
  return isConnection(current) ? current : undefined;
}
