import { Link } from '@tanstack/react-router';
import { describe } from '@/api/errors';
import { paths } from '@/lib/paths';
import { Button, buttonClass } from '@/ui/button';
import type { Tool } from './api';
import { Bar } from './bar';
import type { Builder } from './builder';
import { type BuilderAction, baseOf, reduce } from './builder-state';
import { ConflictBar } from './conflict-bar';
import { DraftBar } from './draft-bar';
import type { Commands } from './use-commands';
import type { Drafts } from './use-drafts';

interface Props {
  builder: Builder;
  deleted: boolean;
  /** Somebody else's newer version, while there are changes here. */
  theirs: Tool | undefined;
  prefillError: unknown;
  drafts: Drafts;
  commands: Commands;
  pending: boolean;
}

/** What has to be known or decided before going on. */
export function BuilderBars({ builder, deleted, theirs, prefillError, drafts, commands, pending }: Props) {
  const { state, dispatch, connections } = builder;
  const connectionName = (id: string) => connections.find((c) => c.id === id)?.name ?? id;
  const { offer } = drafts;
  return (
    <>
      {deleted && <DeletedBar onSave={() => void commands.saveCopy()} pending={pending} />}
      {prefillError != null && (
        <Bar tone="warn">The table could not be read, so the statement is empty. {describe(prefillError).cause}</Bar>
      )}
      {connections.length === 0 && <NoConnectionBar />}
      {offer && (
        <DraftBar
          draft={offer}
          form={state.form}
          connectionName={connectionName}
          onRestore={() => {
            // A draft of an older version keeps that as its base: what changed since shows as a conflict.
            const base = offer.base.version < state.base.version ? offer.base : state.base;
            dispatch({ type: 'replace', form: offer.form, base, tests: offer.tests });
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
    </>
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
