import { useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { describe } from '@/api/errors';
import { writeTexts } from '@/editing/drafts';
import type { Drafts } from '@/editing/use-drafts';
import { paths } from '@/lib/paths';
import { toast } from '@/ui/toast-store';
import { type Tool, useDuplicateTool } from './api';
import { type BuilderState, isDirty } from './builder-state';
import type { ToolForm } from './form';
import { resultTabs } from './search';
import { useDeleteWithUndo } from './use-delete';
import { previewKey } from './use-preview';
import type { Saving } from './use-save';
import { testsKey } from './use-tests';

interface Given {
  tool: Tool | undefined;
  deleted: boolean;
  /** Somebody else's newer version that waits for a review. */
  theirs: Tool | undefined;
  state: BuilderState;
  saving: Saving;
  drafts: Drafts<ToolForm>;
}

export interface Commands {
  /** Saves what is shown, or a state that is not on the screen yet. Undefined when it was not saved. */
  save: (from?: BuilderState) => Promise<Tool | undefined>;
  /** Saves and stays: a new tool gets its own page. */
  saveHere: () => Promise<Tool | undefined>;
  saveCopy: () => Promise<void>;
  saveAndDeploy: () => Promise<void>;
  duplicate: () => void;
  remove: () => Promise<void>;
}

/** What can be done with the whole tool, with what is said about it and where it leads. */
export function useCommands({ tool, deleted, theirs, state, saving, drafts }: Given): Commands {
  const id = tool?.id;
  const navigate = useNavigate();
  const client = useQueryClient();
  const tab = useSearch({ strict: false, select: (search) => resultTabs.find((t) => t === search.tab) });
  const { mutate: copy } = useDuplicateTool();
  const removeTools = useDeleteWithUndo();

  /** Goes to the page of a tool that was just made, with what is worth keeping of this one. */
  const open = async (made: Tool) => {
    drafts.drop();
    client.setQueryData(previewKey(made.id), client.getQueryData(previewKey(id)));
    await writeTexts(testsKey(made.id), state.tests);
    await navigate({ to: paths.tool, params: { id: made.id }, search: { tab }, replace: !id, ignoreBlocker: true });
  };
  const save = async (from?: BuilderState): Promise<Tool | undefined> => {
    if (saving.pending) return undefined;
    if (theirs && !from) {
      toast('Review the differences first, or save yours as a copy.', { tone: 'warn' });
      return undefined;
    }
    if (tool && !deleted && !isDirty(from ?? state)) {
      toast('Everything is saved.', { tone: 'info' });
      return tool;
    }
    const saved = await saving.save(from);
    if (saved) toast(`Saved ${saved.name}, version ${saved.version}.`);
    return saved;
  };
  const saveHere = async () => {
    const saved = await save();
    if (saved && !id) await open(saved);
    return saved;
  };
  const saveCopy = async () => {
    const made = await saving.saveCopy(!deleted);
    if (!made) return;
    toast(`Saved your version as ${made.name}.`);
    await open(made);
  };
  const saveAndDeploy = async () => {
    const saved = tool && !isDirty(state) ? tool : await save();
    if (!saved) return;
    const revision = await saving.publish();
    const follow = { label: 'Open Deploy', run: () => void navigate({ to: paths.deploy }) };
    if (revision !== undefined) toast(`Deploying revision ${revision}.`, { tone: 'info', action: follow });
    else toast(`${saved.name} is saved, but was not deployed.`, { tone: 'warn', action: follow });
    if (!id) await open(saved);
  };
  const duplicate = () => {
    if (!id) return;
    copy(id, {
      onSuccess: (made) => {
        toast(`Made ${made.name}. It is disabled.`);
        void navigate({ to: paths.tool, params: { id: made.id } });
      },
      onError: (error) => toast(`The tool was not duplicated. ${describe(error).cause}`, { tone: 'warn' }),
    });
  };
  const remove = async () => {
    if (!tool || (await removeTools([tool])).length === 0) return;
    drafts.drop();
    await navigate({ to: paths.tools, ignoreBlocker: true });
  };
  return { save, saveHere, saveCopy, saveAndDeploy, duplicate, remove };
}
