import { useQuery } from '@tanstack/react-query';
import { useMemo, useReducer, useState } from 'react';
import { deployDiffQuery } from '@/api/queries';
import { draftKey } from '@/editing/drafts';
import type { Base } from '@/editing/fields';
import { LeaveDialog } from '@/editing/leave-dialog';
import { useDrafts } from '@/editing/use-drafts';
import { useNewer } from '@/editing/use-newer';
import type { Connection, Tool } from './api';
import type { Builder } from './builder';
import { BuilderBars } from './builder-bars';
import { BuilderPanes, type PaneKey } from './builder-panes';
import { baseOf, isDirty, reduce, start } from './builder-state';
import { liveErrors } from './errors';
import { toolFields } from './fields';
import { fromTool, type ToolForm, toDraft } from './form';
import { Header } from './header';
import { SaveErrors } from './save-errors';
import { toolState } from './state';
import { useAnalysis } from './use-analysis';
import { useBuilderActions } from './use-builder-actions';
import { useCommands } from './use-commands';
import { usePreview } from './use-preview';
import { useReveal } from './use-reveal';
import { useSave } from './use-save';
import { useTests } from './use-tests';

interface Props {
  /** What is stored now; it changes while the page is open. Undefined before the first save. */
  tool: Tool | undefined;
  /** Somebody deleted it while it was open here. */
  deleted?: boolean;
  connections: readonly Connection[];
  /** What the form begins with. */
  initial: Base<ToolForm>;
  /** Why the table a new tool was to begin with could not be read. */
  prefillError?: unknown;
}

/** The editor of one tool: everything that is typed lives here until it is saved. */
export function ToolBuilder({ tool, deleted = false, connections, initial, prefillError }: Props) {
  const id = tool?.id;
  const [state, dispatch] = useReducer(reduce, initial, start);
  const [pane, setPane] = useState<PaneKey>('sql');
  const dirty = isDirty(state);
  const connection = connections.find((c) => c.id === state.form.connection_id);
  const judgement = useAnalysis(state, dispatch, connection);
  const preview = usePreview(id);
  const fields = useMemo(() => toolFields((c) => connections.find((one) => one.id === c)?.name ?? c), [connections]);
  const { form, base } = state;
  const drafts = useDrafts({ key: draftKey('tool', id), fields, form, base, aside: state.tests });
  const saving = useSave(id, state, dispatch);
  const theirs = useNewer({
    stored: tool,
    fields,
    formOf: fromTool,
    form,
    base,
    dirty,
    saving: saving.pending,
    adopt: (now, next) => dispatch({ type: 'replace', form: next, base: baseOf(now) }),
  });
  const commands = useCommands({ tool, deleted, theirs, state, saving, drafts });
  const reveal = useReveal(saving.fields, saving.failures, setPane);
  const diff = useQuery(deployDiffQuery);
  useTests(id, state.tests, (tests) => dispatch({ type: 'tests', tests }));

  const run = () => {
    setPane('result');
    preview.run(state.form, state.tests);
  };
  const save = () => void commands.saveHere();
  const deploy = () => void commands.saveAndDeploy();
  const remove = () => void commands.remove();
  useBuilderActions(id !== undefined, { run, save, deploy, duplicate: commands.duplicate, remove });

  const builder: Builder = {
    id,
    state,
    dispatch,
    fields,
    judgement,
    preview,
    errors: { ...liveErrors(judgement.definition, toDraft(state.form), saving.tried), ...saving.fields },
    connections,
    connection,
    run,
    save,
  };
  const saveAndLeave = async () => {
    if (!(await commands.save())) return false;
    drafts.drop();
    return true;
  };

  const name = state.form.name.trim();
  return (
    <div className="flex min-h-0 flex-1 flex-col md:h-[calc(100dvh-3rem)] md:flex-none">
      <Header
        name={name}
        tool={tool}
        state={tool && toolState(tool, diff.data?.changes)}
        dirty={dirty}
        pending={saving.pending}
        onSave={save}
        onDeploy={deploy}
        onDuplicate={commands.duplicate}
        onDelete={remove}
      />
      <SaveErrors fields={saving.fields} general={saving.general} onReveal={reveal} />
      <BuilderBars
        builder={builder}
        deleted={deleted}
        theirs={theirs}
        prefillError={prefillError}
        drafts={drafts}
        commands={commands}
        pending={saving.pending}
      />
      <BuilderPanes builder={builder} pane={pane} onPane={setPane} />
      <LeaveDialog dirty={dirty} what={name || 'The new tool'} onSave={saveAndLeave} />
    </div>
  );
}
