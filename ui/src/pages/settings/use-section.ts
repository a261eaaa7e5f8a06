import { draftKey } from '@/editing/drafts';
import type { FieldTable } from '@/editing/fields';
import { type Editing, useEditing } from '@/editing/use-editing';
import { toast } from '@/ui/toast-store';
import { useSaveConfig } from './use-save-config';
import type { Config, Patch } from './values';

interface Given<F> {
  /** Its part of the address. */
  name: string;
  config: Config;
  fields: FieldTable<F>;
  formOf: (config: Config) => F;
  /** What the form changes of what is stored. */
  patchOf: (form: F, stored: Config) => Omit<Patch, 'version'>;
  /** Whether it can be sent; shows what is missing if not. */
  check?: (form: F) => boolean;
}

export interface Section<F> {
  editing: Editing<Config, F>;
  pending: boolean;
  error: unknown;
  save: () => Promise<boolean>;
  /** Saves the outcome of a review on top of theirs. */
  saveMerged: (theirs: Config, form: F) => Promise<boolean>;
  discard: () => void;
}

/** One section of the settings: a form of its own with its own save. */
export function useSection<F>({ name, config, fields, formOf, patchOf, check = () => true }: Given<F>): Section<F> {
  const { pending, error, save: send, reset } = useSaveConfig();
  const editing = useEditing({
    key: draftKey('settings', name),
    fields,
    stored: config,
    formOf,
    blank: formOf(config),
    saving: pending,
  });
  const { saved = config, form, theirs, dirty, drafts } = editing;
  const save = async (stored: Config, next: F) => {
    if (pending || !check(next)) return false;
    const now = await send({ ...patchOf(next, stored), version: stored.version });
    if (!now) return false;
    drafts.drop();
    editing.goOn(now);
    return true;
  };
  return {
    editing,
    pending,
    error,
    save: async () => {
      if (theirs) {
        toast('Review the differences first.', { tone: 'warn' });
        return false;
      }
      return dirty ? save(saved, form) : true;
    },
    saveMerged: (other, merged) => {
      editing.goOn(other, merged);
      return save(other, merged);
    },
    discard: () => {
      editing.goOn(theirs ?? saved);
      reset();
    },
  };
}
