import { useEffect, useState } from 'react';
import { Conflict, describe, fieldErrors } from '@/api/errors';
import { useCreateConnection, useSaveConnection } from '@/api/mutations';
import {
  askedAgain,
  type Connection,
  draftOf,
  fresh,
  isDirty,
  patchOf,
  type Secrets,
  unsendable,
  type Values,
  valuesOf,
} from './values';

export type Errors = Readonly<Record<string, string>>;

export interface Form {
  /** What the typed values started from; undefined for a connection that does not exist yet. */
  saved: Connection | undefined;
  values: Values;
  secrets: Secrets;
  dirty: boolean;
  /** By the server's field names; '' is about no field. */
  errors: Errors;
  /** Grows with each refusal: the page moves the focus to the first error. */
  refusals: number;
  pending: boolean;
  /** What somebody else saved in the meantime. */
  theirs: Connection | undefined;
  change: (part: Partial<Values>) => void;
  /** Undefined: leave the stored secret as it is. */
  changeSecret: (name: string, value: string | null | undefined) => void;
  replace: (values: Values, secrets?: Secrets) => void;
  /** Whether it could be sent as it is; if not, the errors say why. What is valid is the server's to say. */
  check: () => boolean;
  showErrors: (error: unknown) => void;
  save: () => Promise<Connection | undefined>;
  saveCopy: () => Promise<Connection | undefined>;
  /** Goes on from their state with these values. */
  rebase: (theirs: Connection, values: Values) => void;
  discard: () => void;
}

/** The state of the form. It outlives the tab that shows it, and follows the server as long as nothing was typed. */
export function useForm(current: Connection | undefined): Form {
  const [saved, setSaved] = useState(current);
  const [values, setValues] = useState<Values>(current ? valuesOf(current) : fresh);
  const [secrets, setSecrets] = useState<Secrets>({});
  const { errors, refusals, refuse, forget, showErrors } = useErrors();
  const [theirs, setTheirs] = useState<Connection>();
  const create = useCreateConnection();
  const update = useSaveConnection();
  const pending = create.isPending || update.isPending;
  const dirty = isDirty(saved, values, secrets);

  const adopt = (connection: Connection) => {
    setSaved(connection);
    setValues(valuesOf(connection));
    setSecrets({});
    forget();
    setTheirs(undefined);
  };

  // The cache learns of other people's changes by the event stream, before anybody presses Save.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a new version of the connection counts
  useEffect(() => {
    if (!current || !saved || pending || current.version <= saved.version) return;
    if (dirty) setTheirs(current);
    else adopt(current);
  }, [current, pending]);

  const check = () => {
    const found = unsendable(values);
    for (const name of saved ? askedAgain(saved, values, secrets) : []) {
      found[name === 'password' ? name : `extra_params.${name}`] = 'Enter it again, or remove it.';
    }
    refuse(found);
    return Object.keys(found).length === 0;
  };
  const send = async (work: () => Promise<Connection>) => {
    if (pending || !check()) return undefined;
    try {
      const now = await work();
      adopt(now);
      return now;
    } catch (error) {
      const other = error instanceof Conflict ? asConnection(error.current) : undefined;
      if (other) setTheirs(other);
      else showErrors(error);
      return undefined;
    }
  };

  return {
    saved,
    values,
    secrets,
    dirty,
    errors,
    refusals,
    pending,
    theirs,
    change: (part) => {
      setValues((old) => ({ ...old, ...part }));
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
      setValues(next);
      setSecrets((old) => ({ ...old, ...nextSecrets }));
      forget();
    },
    check,
    showErrors,
    save: () =>
      send(() =>
        saved
          ? update.mutateAsync({ id: saved.id, patch: patchOf(saved, values, secrets) })
          : create.mutateAsync(draftOf(values, secrets)),
      ),
    saveCopy: () => send(() => create.mutateAsync(draftOf({ ...values, name: `${values.name} (copy)` }, secrets))),
    rebase: (other, next) => {
      setSaved(other);
      setValues(next);
      forget();
      setTheirs(undefined);
    },
    discard: () => {
      const last = theirs ?? saved;
      if (last) adopt(last);
      else {
        setValues(fresh);
        setSecrets({});
        forget();
      }
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
