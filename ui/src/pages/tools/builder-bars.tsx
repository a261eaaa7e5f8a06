import { Link } from '@tanstack/react-router';
import { describe } from '@/api/errors';
import { Bar } from '@/editing/bar';
import { ConflictBar } from '@/editing/conflict-bar';
import { DraftBar } from '@/editing/draft-bar';
import type { Drafts } from '@/editing/use-drafts';
import { paths } from '@/lib/paths';
import { Button, buttonClass } from '@/ui/button';
import type { Tool } from './api';
import type { Builder } from './builder';
import { type BuilderAction, baseOf, reduce } from './builder-state';
import { fromTool, type ToolForm } from './form';
import type { Commands } from './use-commands';

interface Props {
  builder: Builder;
  deleted: boolean;
  /** Somebody else's newer version, while there are changes here. */
  theirs: Tool | undefined;
  prefillError: unknown;
  drafts: Drafts<ToolForm>;
  commands: Commands;
  pending: boolean;
}

/** What has to be known or decided before going on. */
export function BuilderBars({ builder, deleted, theirs, prefillError, drafts, commands, pending }: Props) {
  const { state, dispatch, fields, connections } = builder;
  const { offer } = drafts;
  return (
    <div className="grid shrink-0 gap-2 border-b border-line p-2 empty:hidden">
      {deleted && <DeletedBar onSave={() => void commands.saveCopy()} pending={pending} />}
      {prefillError != null && (
        <Bar tone="warn">The table could not be read, so the statement is empty. {describe(prefillError).cause}</Bar>
      )}
      {connections.length === 0 && <NoConnectionBar />}
      {offer && (
        <DraftBar
          draft={offer}
          fields={fields}
          form={state.form}
          version={state.base.version}
          onRestore={() => {
            // A draft of an older version keeps that as its base: what changed since shows as a conflict.
            const base = offer.base.version < state.base.version ? offer.base : state.base;
            dispatch({ type: 'replace', form: offer.form, base, tests: offer.aside });
            drafts.settle();
          }}
          onDiscard={drafts.settle}
        />
      )}
      {theirs && !deleted && (
        <ConflictBar
          subject="This tool was"
          entity={{ type: 'tool', id: theirs.id }}
          stored={theirs}
          fields={fields}
          base={state.base.form}
          mine={state.form}
          theirs={fromTool(theirs)}
          pending={pending}
          onCopy={() => void commands.saveCopy()}
          onDiscard={() => dispatch({ type: 'replace', form: baseOf(theirs).form, base: baseOf(theirs) })}
          onMerge={(form, now) => {
            const action: BuilderAction = { type: 'replace', form, base: baseOf(theirs) };
            dispatch(action);
            if (now) void commands.save(reduce(state, action));
          }}
        />
      )}
    </div>
  );
}

function DeletedBar({ onSave, pending }: { onSave: () => void; pending: boolean }) {
  return (
    <Bar
      tone="warn"
      urgent
      actions={
        <Button size="sm" pending={pending} onClick={onSave}>
          Save as a new tool
        </Button>
      }
    >
      This tool was deleted while it was open here.
    </Bar>
  );
}

function NoConnectionBar() {
  return (
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
  );
}
