import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useBlocker, useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useReducer, useRef, useState } from 'react';
import { describe } from '@/api/errors';
import { deployDiffQuery } from '@/api/queries';
import { announce } from '@/lib/announce';
import { paths } from '@/lib/paths';
import { Button, buttonClass } from '@/ui/button';
import { toast } from '@/ui/toast-store';
import { type Connection, type Tool, useDuplicateTool } from './api';
import { Bar } from './bar';
import type { Builder } from './builder';
import { BuilderPanes, type PaneKey, paneOf } from './builder-panes';
import { type Base, type BuilderAction, type BuilderState, baseOf, isDirty, reduce, start } from './builder-state';
import { ConflictBar } from './conflict-bar';
import { DraftBar } from './draft-bar';
import { writeTests } from './drafts';
import { inFormOrder, liveErrors } from './errors';
import { sameTool, toDraft } from './form';
import { Header } from './header';
import { LeaveDialog } from './leave-dialog';
import { focusField, SaveErrors } from './save-errors';
import { resultTabs } from './search';
import { toolState } from './state';
import { useAnalysis } from './use-analysis';
import { useBuilderActions } from './use-builder-actions';
import { useDeleteWithUndo } from './use-delete';
import { useDrafts } from './use-drafts';
import { previewKey, usePreview } from './use-preview';
import { useSave } from './use-save';
import { useTests } from './use-tests';

interface Props {
  /** What is stored now; it changes while the page is open. Undefined before the first save. */
  tool: Tool | undefined;
  /** Somebody deleted it while it was open here. */
  deleted?: boolean;
  connections: readonly Connection[];
  /** What the form begins with. */
  initial: Base;
  /** Why the table a new tool was to begin with could not be read. */
  prefillError?: unknown;
}

export function ToolBuilder({ tool, deleted = false, connections, initial, prefillError }: Props) {
  const id = tool?.id;
  const navigate = useNavigate();
  const client = useQueryClient();
  const [state, dispatch] = useReducer(reduce, initial, start);
  const dirty = isDirty(state);
  const connection = connections.find((c) => c.id === state.form.connection_id);
  const judgement = useAnalysis(state, dispatch, connection);
  const preview = usePreview(id);
  const drafts = useDrafts(id, state);
  const saving = useSave(id, state, dispatch);
  const diff = useQuery(deployDiffQuery);
  const [pane, setPane] = useState<PaneKey>('sql');
  const [failed, setFailed] = useState(0);
  /** True once the page may be left although the form differs: it was saved elsewhere, deleted or given up. */
  const leaving = useRef(false);
  const tab = useSearch({ strict: false, select: (search) => resultTabs.find((t) => t === search.tab) });
  useTests(id, state.tests, (tests) => dispatch({ type: 'tests', tests }));

  const stored = tool !== undefined && tool.version > state.base.version && !saving.pending ? tool : undefined;
  useEffect(() => {
    if (!stored || dirty) return;
    dispatch({ type: 'replace', form: baseOf(stored).form, base: baseOf(stored) });
    announce(`The tool was changed elsewhere. Version ${stored.version} is shown.`);
  }, [stored, dirty]);
  const theirs = stored && dirty && !sameTool(state.form, baseOf(stored).form) ? stored : undefined;

  /** Goes to the page of a tool that was just made, with what is worth keeping of this one. */
  const opened = async (created: Tool) => {
    leaving.current = true;
    drafts.close();
    client.setQueryData(previewKey(created.id), client.getQueryData(previewKey(id)));
    await writeTests(created.id, state.tests);
    await navigate({ to: paths.tool, params: { id: created.id }, search: { tab }, replace: !id });
  };
  const save = async (from?: BuilderState): Promise<Tool | undefined> => {
    if (saving.pending) return undefined;
    if (tool && !deleted && !isDirty(from ?? state)) {
      toast('Everything is saved.', { tone: 'info' });
      return tool;
    }
    const saved = await saving.save(from);
    if (saved) toast(`Saved ${saved.name}, version ${saved.version}.`);
    else setFailed((n) => n + 1);
    return saved;
  };
  const saveHere = async () => {
    const saved = await save();
    if (saved && !id) await opened(saved);
  };
  const saveCopy = async () => {
    const copy = await saving.saveCopy();
    if (!copy) return;
    toast(`Saved your version as ${copy.name}.`);
    await opened(copy);
  };
  const saveAndDeploy = async () => {
    const saved = tool && !dirty ? tool : await save();
    if (!saved) return;
    const revision = await saving.publish();
    const open = { label: 'Open Deploy', run: () => void navigate({ to: paths.deploy }) };
    if (revision !== undefined) toast(`Deploying revision ${revision}.`, { tone: 'info', action: open });
    else toast(`${saved.name} is saved, but was not deployed.`, { tone: 'warn', action: open });
    if (!id) await opened(saved);
  };

  const duplicate = useDuplicateTool();
  const copy = () =>
    duplicate.mutate(id ?? '', {
      onSuccess: (made) => {
        toast(`Made ${made.name}. It is disabled.`);
        void navigate({ to: paths.tool, params: { id: made.id } });
      },
      onError: (error) => toast(`The tool was not duplicated. ${describe(error).cause}`, { tone: 'warn' }),
    });
  const remove = useDeleteWithUndo();
  const discard = async () => {
    if (!tool || (await remove([tool])).length === 0) return;
    leaving.current = true;
    drafts.close();
    await navigate({ to: paths.tools });
  };

  // After a save that failed the first field that needs a change takes the focus, in whichever pane it is.
  const first = inFormOrder(saving.fields)[0]?.[0];
  const reveal = (field: string) => {
    setPane(paneOf(field));
    requestAnimationFrame(() => focusField(field));
  };
  const revealFirst = useRef(() => {});
  revealFirst.current = () => {
    if (first) reveal(first);
  };
  useEffect(() => {
    if (failed > 0) revealFirst.current();
  }, [failed]);

  const blocker = useBlocker({
    shouldBlockFn: ({ current, next }) => !leaving.current && dirty && current.pathname !== next.pathname,
    enableBeforeUnload: false,
    withResolver: true,
  });

  const run = () => {
    setPane('result');
    preview.run(state.form, state.tests);
  };
  const builder: Builder = {
    id,
    state,
    dispatch,
    judgement,
    preview,
    errors: { ...liveErrors(judgement.definition, toDraft(state.form), saving.tried), ...saving.fields },
    connections,
    connection,
    run,
    save: () => void saveHere(),
  };
  useBuilderActions(id !== undefined, {
    run,
    save: () => void saveHere(),
    deploy: () => void saveAndDeploy(),
    duplicate: copy,
    remove: () => void discard(),
  });

  const connectionName = (key: string) => connections.find((c) => c.id === key)?.name ?? key;
  const name = state.form.name.trim();
  return (
    <div className="flex min-h-0 flex-1 flex-col md:h-[calc(100dvh-3rem)] md:flex-none">
      <Header
        name={name}
        tool={tool}
        state={tool && toolState(tool, diff.data?.changes)}
        dirty={dirty}
        pending={saving.pending}
        onSave={() => void saveHere()}
        onDeploy={() => void saveAndDeploy()}
        onDuplicate={copy}
        onDelete={() => void discard()}
      />
      <SaveErrors fields={saving.fields} general={saving.general} onReveal={reveal} />
      {deleted && (
        <Bar
          tone="warn"
          urgent
          actions={
            <Button size="sm" onClick={() => void saveCopy()}>
              Save as a new tool
            </Button>
          }
        >
          This tool was deleted while it was open here.
        </Bar>
      )}
      {prefillError != null && (
        <Bar tone="warn">The table could not be read, so the statement is empty. {describe(prefillError).cause}</Bar>
      )}
      {connections.length === 0 && (
        <Bar
          tone="info"
          actions={
            <Link to={paths.connectionNew} className={buttonClass('outline', 'sm')}>
              Connect a database
            </Link>
          }
        >
          There is no connection yet. A tool needs one to run its statement.
        </Bar>
      )}
      {drafts.offer && (
        <DraftBar
          draft={drafts.offer}
          form={state.form}
          connectionName={connectionName}
          onRestore={() => {
            if (!drafts.offer) return;
            const { form, base, tests } = drafts.offer;
            dispatch({ type: 'replace', form, base: base.version < state.base.version ? base : state.base, tests });
            drafts.settle();
          }}
          onDiscard={drafts.settle}
        />
      )}
      {theirs && !deleted && (
        <ConflictBar
          state={state}
          theirs={theirs}
          connectionName={connectionName}
          pending={saving.pending}
          onCopy={() => void saveCopy()}
          onDiscard={() => dispatch({ type: 'replace', form: baseOf(theirs).form, base: baseOf(theirs) })}
          onMerge={(form, now) => {
            const action: BuilderAction = { type: 'replace', form, base: baseOf(theirs) };
            dispatch(action);
            if (now) void save(reduce(state, action));
          }}
        />
      )}
      <BuilderPanes builder={builder} pane={pane} onPane={setPane} />
      <LeaveDialog
        open={blocker.status === 'blocked'}
        name={name || 'The new tool'}
        pending={saving.pending}
        onStay={() => blocker.reset?.()}
        onLeave={() => blocker.proceed?.()}
        onSave={() =>
          void save().then((saved) => {
            if (!saved) {
              blocker.reset?.();
              return;
            }
            leaving.current = true;
            drafts.close();
            blocker.proceed?.();
          })
        }
      />
    </div>
  );
}
