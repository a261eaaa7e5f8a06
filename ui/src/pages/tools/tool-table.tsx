import { Link, useNavigate } from '@tanstack/react-router';
import { Copy, Ellipsis, SquarePen, Trash2 } from 'lucide-react';
import { describe } from '@/api/errors';
import { Time } from '@/components/time';
import { paths } from '@/lib/paths';
import { buttons } from '@/lib/words';
import { Chip } from '@/ui/chip';
import { preloadEditor } from '@/ui/code-editor';
import { type Column, DataTable } from '@/ui/data-table';
import { iconButtonClass } from '@/ui/icon-button-class';
import { Menu } from '@/ui/menu';
import { State } from '@/ui/state';
import { Switch } from '@/ui/switch';
import { toast } from '@/ui/toast-store';
import { type Connection, type Tool, type ToolChange, useDuplicateTool } from './api';
import { toolState } from './state';
import { useDeleteWithUndo } from './use-delete';
import { useEnable } from './use-enable';

interface Props {
  tools: readonly Tool[];
  connections: readonly Connection[];
  /** What a deploy would change; undefined while that is not known. */
  changes: readonly ToolChange[] | undefined;
  sort: string;
  onSort: (sort: string) => void;
  selected: ReadonlySet<string>;
  onSelect: (selected: ReadonlySet<string>) => void;
}

export function ToolTable({ tools, connections, changes, sort, onSort, selected, onSelect }: Props) {
  const enable = useEnable();
  const connectionName = (id: string) => connections.find((c) => c.id === id)?.name ?? '–';
  const columns: Column<Tool>[] = [
    { key: 'name', header: 'Name', sort: 'name', card: 'title', cell: (t) => <Name tool={t} /> },
    {
      key: 'connection',
      header: 'Connection',
      card: 'line',
      cell: (t) => <ConnectionName name={connectionName(t.connection_id)} />,
    },
    {
      key: 'state',
      header: 'State',
      card: 'line',
      cell: (t) => {
        const { kind, word, breaking } = toolState(t, changes);
        return (
          <span className="inline-flex min-w-0 items-center gap-2 max-sm:flex-wrap">
            <State kind={kind} className="max-sm:whitespace-normal">
              {word}
            </State>
            {breaking && <Chip tone="bad">Breaking</Chip>}
          </span>
        );
      },
    },
    { key: 'parameters', header: 'Parameters', num: true, card: 'hidden', cell: (t) => t.parameters.length },
    { key: 'tags', header: 'Tags', card: 'hidden', cell: (t) => <Tags tags={t.tags} />, className: 'max-lg:hidden' },
    {
      key: 'updated',
      header: 'Updated',
      sort: 'updated_at',
      card: 'line',
      cell: (t) => (
        <span className="text-muted">
          <Time at={t.updated_at} />
        </span>
      ),
    },
    {
      key: 'enabled',
      header: 'Enabled',
      card: 'line',
      cell: (t) => (
        <Switch label={`${t.name} is enabled`} checked={t.is_enabled} onChange={(on) => void enable([t], on)} />
      ),
    },
    {
      key: 'actions',
      header: <span className="sr-only">Actions</span>,
      card: 'corner',
      className: 'sm:w-12',
      cell: (t) => <RowMenu tool={t} />,
    },
  ];
  return (
    <DataTable
      label="Tools"
      columns={columns}
      rows={tools}
      rowKey={(t) => t.id}
      rowName={(t) => t.name}
      sort={sort}
      onSort={onSort}
      selected={selected}
      onSelect={onSelect}
    />
  );
}

function Name({ tool }: { tool: Tool }) {
  return (
    <span className="grid min-w-0 sm:max-w-88 sm:min-w-60 sm:py-1.5 xl:max-w-[32rem]">
      <Link
        to={paths.tool}
        params={{ id: tool.id }}
        onPointerEnter={preloadEditor}
        onFocus={preloadEditor}
        title={tool.name}
        className="w-fit max-w-full truncate rounded font-mono text-control"
      >
        {tool.name}
      </Link>
      <span className="truncate text-label font-normal text-muted" title={tool.description}>
        {tool.description}
      </span>
    </span>
  );
}

function ConnectionName({ name }: { name: string }) {
  return (
    <span className="block truncate sm:max-w-44" title={name}>
      {name}
    </span>
  );
}

const mostTags = 2;

function Tags({ tags }: { tags: readonly string[] }) {
  const more = tags.slice(mostTags);
  return (
    <span className="flex items-center gap-1">
      {tags.slice(0, mostTags).map((tag) => (
        <Link key={tag} to={paths.tools} search={{ tag }} className="flex rounded" title={tag}>
          <Chip>
            <span className="max-w-28 truncate">{tag}</span>
          </Chip>
        </Link>
      ))}
      {more.length > 0 && (
        <span className="text-label text-muted" title={more.join(', ')}>
          +{more.length}
        </span>
      )}
    </span>
  );
}

function RowMenu({ tool }: { tool: Tool }) {
  const navigate = useNavigate();
  const duplicate = useDuplicateTool();
  const remove = useDeleteWithUndo();
  const open = (id: string) => void navigate({ to: paths.tool, params: { id } });
  return (
    <Menu
      trigger={
        <button type="button" aria-label={`Actions for ${tool.name}`} className={iconButtonClass('sm')}>
          <Ellipsis aria-hidden />
        </button>
      }
      items={[
        { label: 'Open', icon: <SquarePen aria-hidden />, onSelect: () => open(tool.id) },
        {
          label: 'Duplicate',
          icon: <Copy aria-hidden />,
          onSelect: () =>
            duplicate.mutate(tool.id, {
              onSuccess: (made) =>
                toast(`Made ${made.name}. It is disabled.`, { action: { label: 'Open', run: () => open(made.id) } }),
              onError: (error) => toast(`${tool.name} was not duplicated. ${describe(error).cause}`, { tone: 'warn' }),
            }),
        },
        {
          label: buttons.delete,
          icon: <Trash2 aria-hidden />,
          danger: true,
          separated: true,
          onSelect: () => void remove([tool]),
        },
      ]}
    />
  );
}
