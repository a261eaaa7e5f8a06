import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Ellipsis, Play, Save, Trash2 } from 'lucide-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { connectionHealthQuery, connectionUsageQuery } from '@/api/queries';
import { useActions } from '@/app/actions';
import { Page } from '@/components/page';
import { Time } from '@/components/time';
import { draftKey } from '@/lib/drafts';
import { paths } from '@/lib/paths';
import { useDraft } from '@/lib/use-draft';
import { Button } from '@/ui/button';
import { IconButton } from '@/ui/icon-button';
import { Kbd } from '@/ui/kbd';
import { Menu } from '@/ui/menu';
import { State } from '@/ui/state';
import { Tabs } from '@/ui/tabs';
import { toast } from '@/ui/toast-store';
import { ConflictBar } from './conflict-bar';
import { DeleteDialog } from './delete-dialog';
import { DraftBar } from './draft-bar';
import { HealthState } from './health';
import { LeaveDialog } from './leave-dialog';
import { parseDetailSearch, type Tab } from './list-search';
import { SchemaTab } from './schema-tab';
import { SettingsTab } from './settings-tab';
import { type Form, useForm } from './use-form';
import { useTest } from './use-test';
import { UsedBy } from './used-by';
import { type Connection, fresh, parseValues, sameTarget, sameValues, valuesOf } from './values';

/** One connection, new or saved. */
export function Editor({ connection }: { connection?: Connection }) {
  const navigate = useNavigate();
  const form = useForm(connection);
  const test = useTest();
  const { values, saved } = form;
  const draft = useDraft({
    key: draftKey('connection', connection?.id),
    value: values,
    version: saved?.version ?? 0,
    dirty: form.dirty && !sameValues(saved ? valuesOf(saved) : fresh, values),
    parse: parseValues,
  });
  const [deleting, setDeleting] = useState(false);
  const { tab = 'settings', table } = parseDetailSearch(useSearch({ strict: false }));
  const show = (next: { tab?: Tab; table?: string }) => {
    if (!connection) return;
    void navigate({
      to: paths.connection,
      params: { id: connection.id },
      search: { ...next, tab: next.tab === 'settings' ? undefined : next.tab },
      replace: true,
    });
  };

  const tested = test.state.phase === 'done' && sameTarget(test.state.values, values) ? test.state.result : undefined;
  const runTest = async () => {
    show({ tab: 'settings' });
    if (!form.check()) return;
    try {
      await test.run(form);
    } catch (error) {
      form.showErrors(error);
    }
  };
  const say = (now: Connection) => {
    draft.drop();
    if (tested?.success) void test.record(now.id);
    if (tested?.success === false) toast(`Saved ${now.name}. Its last test failed.`, { tone: 'warn' });
    else toast(connection ? `Saved · version ${now.version}` : `Created ${now.name}.`);
  };
  const save = async () => {
    const now = await form.save();
    if (!now) {
      show({ tab: 'settings' });
      return undefined;
    }
    say(now);
    return now;
  };
  const open = (now: Connection, at: Tab) =>
    void navigate({
      to: paths.connection,
      params: { id: now.id },
      search: at === 'settings' ? {} : { tab: at },
      replace: !connection,
      ignoreBlocker: true,
    });
  const onSave = async () => {
    if (connection && !form.dirty)
      return toast(`Nothing to save. Version ${connection.version} is what you see.`, { tone: 'info' });
    const now = await save();
    if (now && !connection) open(now, tested?.success ? 'schema' : 'settings');
  };
  const onCopy = async () => {
    const now = await form.saveCopy();
    if (!now) return;
    say(now);
    open(now, 'settings');
  };
  useEditorActions(
    () => void onSave(),
    () => void runTest(),
  );

  const settings = (
    <SettingsTab form={form} test={test.state} onCancelTest={test.cancel} onSave={() => void onSave()} />
  );
  return (
    <Page
      title={connection ? connection.name : 'Create connection'}
      doc={connection ? `${connection.name} · Connections` : 'Create connection · Connections'}
      description={connection && <Standing connection={connection} form={form} />}
      actions={
        <>
          <span className="max-md:hidden">
            <Kbd keys="mod+enter" />
          </span>
          <Button pending={test.state.phase === 'running'} className="max-sm:flex-1" onClick={() => void runTest()}>
            <Play aria-hidden />
            Test connection
          </Button>
          <Button intent="primary" pending={form.pending} className="max-sm:flex-1" onClick={() => void onSave()}>
            Save connection
          </Button>
          {connection && (
            <Menu
              trigger={<IconButton label="More" icon={<Ellipsis aria-hidden />} />}
              items={[
                {
                  label: 'Delete connection',
                  icon: <Trash2 aria-hidden />,
                  danger: true,
                  onSelect: () => setDeleting(true),
                },
              ]}
            />
          )}
        </>
      }
    >
      <div className="grid gap-4">
        {form.theirs && saved && (
          <ConflictBar form={form} saved={saved} theirs={form.theirs} onCopy={() => void onCopy()} />
        )}
        {draft.found && (
          <DraftBar
            draft={draft.found}
            saved={saved ? valuesOf(saved) : fresh}
            version={saved?.version ?? 0}
            onRestore={() => {
              if (draft.found) form.replace(draft.found.value);
              draft.taken();
              show({ tab: 'settings' });
            }}
            onDrop={draft.drop}
          />
        )}
        {connection ? (
          <DetailTabs connection={connection} tab={tab} table={table} onShow={show} settings={settings} />
        ) : (
          settings
        )}
      </div>
      <LeaveDialog
        dirty={form.dirty}
        what={connection ? connection.name : 'The new connection'}
        onSave={async () => (await save()) !== undefined}
      />
      {deleting && connection && (
        <DeleteDialog
          connection={connection}
          onClose={() => setDeleting(false)}
          onDeleted={() => {
            draft.drop();
            void navigate({ to: paths.connections, ignoreBlocker: true });
          }}
        />
      )}
    </Page>
  );
}

interface DetailProps {
  connection: Connection;
  tab: Tab;
  table: string | undefined;
  onShow: (next: { tab?: Tab; table?: string }) => void;
  settings: React.ReactNode;
}

function DetailTabs({ connection, tab, table, onShow, settings }: DetailProps) {
  const usage = useQuery(connectionUsageQuery(connection.id));
  return (
    <Tabs
      label="Connection"
      value={tab}
      onChange={(next) => onShow({ tab: next })}
      panelClass="pt-4"
      items={[
        { value: 'settings', label: 'Settings', content: settings },
        {
          value: 'schema',
          label: 'Schema',
          content: (
            <SchemaTab
              connection={connection}
              table={table}
              onTable={(next) => onShow({ tab: 'schema', table: next })}
            />
          ),
        },
        {
          value: 'used-by',
          label: 'Used by',
          count: usage.data?.items.length,
          content: <UsedBy connection={connection.id} />,
        },
      ]}
    />
  );
}

/** Draft or saved, in which version, and how it was when last tested. */
function Standing({ connection, form }: { connection: Connection; form: Form }) {
  const health = useQuery(connectionHealthQuery);
  return (
    <span className="flex flex-wrap items-center gap-x-4 gap-y-1">
      {form.dirty ? (
        <State kind="draft">Unsaved changes</State>
      ) : (
        <span className="text-control">
          Saved <Time at={connection.updated_at} look="moment" /> · version {connection.version}
        </span>
      )}
      <HealthState health={health.data?.items.find((h) => h.connection_id === connection.id)} testing={false} />
    </span>
  );
}

/** The actions are registered once; they run what the latest render knows. */
function useEditorActions(save: () => void, test: () => void): void {
  const latest = useRef({ save, test });
  useEffect(() => {
    latest.current = { save, test };
  });
  useActions(
    'page',
    useMemo(
      () => [
        {
          id: 'connection save',
          label: 'Save connection',
          icon: Save,
          keys: 'mod+s',
          run: () => latest.current.save(),
        },
        {
          id: 'connection test',
          label: 'Test connection',
          icon: Play,
          keys: 'mod+enter',
          synonyms: 'check try',
          run: () => latest.current.test(),
        },
      ],
      [],
    ),
  );
}
