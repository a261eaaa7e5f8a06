import { Autocomplete } from '@base-ui/react/autocomplete';
import { Dialog } from '@base-ui/react/dialog';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Database, Search, Wrench } from 'lucide-react';
import { useMemo, useState } from 'react';
import { connectionsQuery, toolsQuery } from '@/api/queries';
import { paths } from '@/lib/paths';
import { useStore } from '@/lib/store';
import { useDebounced } from '@/lib/use-debounced';
import { readStored, writeStored } from '@/lib/use-stored';
import { Kbd } from '@/ui/kbd';
import { type ActionScope, actionsOf, currentActions } from './actions';
import { type Command, type CommandGroup, rank, recall } from './palette-index';

const recentKey = 'palette-recent';

/** One box for pages, entities and actions. Actions of the page come first, then what was used last. */
export function Palette({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState('');
  const commands = useCommands(text);
  const groups = useMemo(() => rank(commands, text, (readStored(recentKey) ?? '').split('\n')), [commands, text]);
  const run = (command: Command) => {
    writeStored(recentKey, recall((readStored(recentKey) ?? '').split('\n'), command.id).join('\n'));
    onClose();
    command.run();
  };
  return (
    <Dialog.Root
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
    >
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 z-40 bg-scrim" />
        <Dialog.Popup
          aria-label="Command palette"
          className="fixed top-[14vh] left-1/2 z-50 w-[36rem] max-w-[92vw] -translate-x-1/2 overflow-hidden rounded-xl border border-line bg-surface shadow-pop outline-none max-sm:top-4"
        >
          <Autocomplete.Root
            open
            inline
            items={groups}
            value={text}
            onValueChange={setText}
            filter={null}
            autoHighlight="always"
            itemToStringValue={(c: Command) => c.label}
          >
            <div className="flex items-center gap-2.5 border-b border-line px-4">
              <Search aria-hidden className="text-muted" />
              <Autocomplete.Input
                aria-label="Search or run a command"
                placeholder="Search or run a command"
                className="h-12 min-w-0 flex-1 bg-transparent text-body outline-none"
              />
              <Kbd keys="escape" />
            </div>
            <Autocomplete.Empty className="px-4 text-control text-muted not-empty:py-6">
              Nothing found. Try a page, a tool or a connection.
            </Autocomplete.Empty>
            <Autocomplete.List className="max-h-[min(24rem,60dvh)] overflow-auto p-1.5">
              {(group: CommandGroup) => (
                <Autocomplete.Group key={group.value} items={group.items} className="pb-1">
                  <Autocomplete.GroupLabel className="px-2.5 pt-2 pb-1 text-label font-medium text-muted">
                    {group.value}
                  </Autocomplete.GroupLabel>
                  <Autocomplete.Collection>
                    {(c: Command) => (
                      <Autocomplete.Item
                        key={c.id}
                        value={c}
                        onClick={() => run(c)}
                        className="flex min-h-9 items-center gap-2.5 rounded-md px-2.5 py-1 text-control data-highlighted:bg-raised pointer-coarse:min-h-11"
                      >
                        {c.icon ? <c.icon aria-hidden className="text-muted" /> : <span className="w-4" />}
                        <span className="min-w-0 flex-1 truncate">{c.label}</span>
                        {c.hint && <span className="max-w-40 truncate text-label text-muted">{c.hint}</span>}
                        {c.keys && (
                          <span className="max-sm:hidden">
                            <Kbd keys={c.keys} />
                          </span>
                        )}
                      </Autocomplete.Item>
                    )}
                  </Autocomplete.Collection>
                </Autocomplete.Group>
              )}
            </Autocomplete.List>
          </Autocomplete.Root>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

const indexed = { limit: 100, sort: 'name' };
/** How long typing pauses before the server is asked for what the index has not. */
const pauseMs = 150;
const mostFound = 20;

/** Everything that can be run or opened. Where there is more than the index holds, the server searches the rest. */
function useCommands(text: string): Command[] {
  const navigate = useNavigate();
  const registered = useStore(currentActions);
  const search = useDebounced(text.trim(), pauseMs);
  const asked = { search, limit: mostFound };
  const firstTools = useQuery(toolsQuery(indexed)).data;
  const foundTools = useQuery({
    ...toolsQuery(asked),
    enabled: search.length > 1 && isPart(firstTools),
    placeholderData: keepPreviousData,
  });
  const firstConnections = useQuery(connectionsQuery(indexed)).data;
  const foundConnections = useQuery({
    ...connectionsQuery(asked),
    enabled: search.length > 1 && isPart(firstConnections),
    placeholderData: keepPreviousData,
  });
  const tools = useUnion(firstTools?.items, foundTools.data?.items);
  const connections = useUnion(firstConnections?.items, foundConnections.data?.items);
  return useMemo(() => {
    const go = (address: string, id: string) => () => void navigate({ to: address.replace('$id', id) });
    const actions = (['page', 'everywhere'] as const).flatMap((scope) =>
      actionsOf(scope, registered)
        .filter((a) => !a.hidden)
        .map((a): Command => ({ ...a, group: groupOf(scope, a.id) })),
    );
    const toolItems = tools.map(
      (t): Command => ({
        id: `tool ${t.id}`,
        label: t.name,
        hint: t.title,
        synonyms: t.description,
        icon: Wrench,
        group: 'Tools',
        run: go(paths.tool, t.id),
      }),
    );
    const connectionItems = connections.map(
      (c): Command => ({
        id: `connection ${c.id}`,
        label: c.name,
        hint: c.db_type,
        synonyms: `${c.host} ${c.database}`,
        icon: Database,
        group: 'Connections',
        run: go(paths.connection, c.id),
      }),
    );
    return [...actions, ...toolItems, ...connectionItems];
  }, [registered, tools, connections, navigate]);
}

const isPart = (page: { items: readonly unknown[]; total: number } | undefined): boolean =>
  page !== undefined && page.total > page.items.length;

function useUnion<T extends { id: string }>(first: readonly T[] | undefined, found: readonly T[] | undefined): T[] {
  return useMemo(() => {
    const known = new Set(first?.map((item) => item.id));
    return [...(first ?? []), ...(found ?? []).filter((item) => !known.has(item.id))];
  }, [first, found]);
}

function groupOf(scope: ActionScope, id: string): Command['group'] {
  if (scope === 'page') return 'This page';
  return id.startsWith('go ') ? 'Pages' : 'Actions';
}
