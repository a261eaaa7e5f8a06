import { useNavigate, useSearch } from '@tanstack/react-router';
import { paths } from '@/lib/paths';
import { toast } from '@/ui/toast-store';
import { parseDetailSearch, type Tab } from './list-search';
import { useForm } from './use-form';
import { useTest } from './use-test';
import { type Connection, sameTarget, type Values } from './values';

/** What one can do with a connection that is open: its form, its draft, its test, and where each leads. */
export function useEditor(connection: Connection | undefined) {
  const navigate = useNavigate();
  const form = useForm(connection);
  const test = useTest();
  const { values, saved, editing } = form;
  const { drafts, theirs } = editing;
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
    drafts.drop();
    if (tested?.success) void test.record(now.id);
    if (tested?.success === false) toast(`Saved ${now.name}. Its last test failed.`, { tone: 'warn' });
    else toast(connection ? `Saved · version ${now.version}` : `Created ${now.name}.`);
  };
  const save = async (send = form.save) => {
    if (theirs && send === form.save) {
      toast('Review the differences first, or save yours as a copy.', { tone: 'warn' });
      return undefined;
    }
    const now = await send();
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
  const saveCopy = async () => {
    const now = await form.saveCopy();
    if (!now) return;
    say(now);
    if (saved?.password && !now.password) toast('A stored password is not copied: enter it.', { tone: 'warn' });
    open(now, 'settings');
  };
  const close = () => {
    drafts.drop();
    void navigate({ to: paths.connections, ignoreBlocker: true });
  };

  return {
    form,
    test,
    tab,
    table,
    show,
    runTest: () => void runTest(),
    save: () => void onSave(),
    saveAndLeave: async () => (await save()) !== undefined,
    saveMerged: (current: Connection, next: Values) => void save(() => form.saveMerged(current, next)),
    restored: () => {
      form.forget('errors');
      show({ tab: 'settings' });
    },
    saveCopy: () => void saveCopy(),
    close,
  };
}
