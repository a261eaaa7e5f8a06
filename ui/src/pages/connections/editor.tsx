import { useQuery } from '@tanstack/react-query';
import { Ellipsis, Play, Save, Trash2 } from 'lucide-react';
import { lazy, type ReactNode, Suspense, useEffect, useMemo, useRef, useState } from 'react';
import { connectionHealthQuery, connectionUsageQuery } from '@/api/queries';
import { useActions } from '@/app/actions';
import { Page } from '@/components/page';
import { Time } from '@/components/time';
import { EditingBars } from '@/editing/editing-bars';
import { LeaveDialog } from '@/editing/leave-dialog';
import { states } from '@/lib/words';
import { Button } from '@/ui/button';
import { IconButton } from '@/ui/icon-button';
import { Kbd } from '@/ui/kbd';
import { Menu } from '@/ui/menu';
import { State } from '@/ui/state';
import { Tabs } from '@/ui/tabs';
import { DeleteDialog } from './delete-dialog';
import { HealthState } from './health';
import type { Tab } from './list-search';
import { SettingsTab } from './settings-tab';
import { useEditor } from './use-editor';
import type { Form } from './use-form';
import { UsedBy } from './used-by';
import type { Connection } from './values';

const SchemaTab = lazy(() => import('./schema-tab').then((m) => ({ default: m.SchemaTab })));

/** One connection, new or saved. */
export function Editor({ connection }: { connection?: Connection }) {
  const editor = useEditor(connection);
  const { form, test, tab, table, show } = editor;
  const [deleting, setDeleting] = useState(false);
  useEditorActions(editor.save, editor.runTest);

  const settings = <SettingsTab form={form} test={test.state} onCancelTest={test.cancel} onSave={editor.save} />;
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
          <Button pending={test.state.phase === 'running'} className="max-sm:flex-1" onClick={editor.runTest}>
            <Play aria-hidden />
            Test connection
          </Button>
          <Button intent="primary" pending={form.pending} className="max-sm:flex-1" onClick={editor.save}>
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
      <div className="grid grid-cols-1 gap-4">
        <EditingBars
          editing={form.editing}
          subject="This connection was"
          kind="connection"
          pending={form.pending}
          onSave={editor.saveMerged}
          onCopy={editor.saveCopy}
          onRestored={editor.restored}
          onDiscarded={() => form.forget('secrets too')}
        />
        {connection ? (
          <DetailTabs connection={connection} tab={tab} table={table} onShow={show} settings={settings} />
        ) : (
          settings
        )}
      </div>
      <LeaveDialog
        dirty={form.dirty}
        what={connection ? connection.name : 'The new connection'}
        unkept={form.unkept ? 'The password or other secret' : undefined}
        onSave={editor.saveAndLeave}
      />
      {deleting && connection && (
        <DeleteDialog connection={connection} onClose={() => setDeleting(false)} onDeleted={editor.close} />
      )}
    </Page>
  );
}

interface DetailProps {
  connection: Connection;
  tab: Tab;
  table: string | undefined;
  onShow: (next: { tab?: Tab; table?: string }) => void;
  settings: ReactNode;
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
            <Suspense>
              <SchemaTab
                connection={connection}
                table={table}
                onTable={(next) => onShow({ tab: 'schema', table: next })}
              />
            </Suspense>
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
        <State kind="draft">{states.unsaved}</State>
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
