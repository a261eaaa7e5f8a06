import { Link, useNavigate } from '@tanstack/react-router';
import { Ellipsis, Power, RotateCw, Table2, Trash2, Wrench } from 'lucide-react';
import { useMemo } from 'react';
import { Time } from '@/components/time';
import { formatDuration, plural } from '@/lib/format';
import { paths } from '@/lib/paths';
import { Chip } from '@/ui/chip';
import { type Column, DataTable } from '@/ui/data-table';
import { iconButtonClass } from '@/ui/icon-button-class';
import { Menu } from '@/ui/menu';
import { Switch } from '@/ui/switch';
import { type Health, HealthState } from './health';
import { kinds, target } from './kinds';
import type { Connection } from './values';

interface Props {
  rows: readonly Connection[];
  health: readonly Health[] | undefined;
  /** How many tools use each; undefined when that is not known. */
  users: ReadonlyMap<string, number> | undefined;
  /** The id of the connection that is tested now. */
  testing: string | undefined;
  sort: string;
  onSort: (sort: string) => void;
  selected: ReadonlySet<string>;
  onSelect: (selected: ReadonlySet<string>) => void;
  onSwitch: (connection: Connection, on: boolean) => void;
  onTest: (connection: Connection) => void;
  onDelete: (connection: Connection) => void;
}

export function ConnectionTable(props: Props) {
  const { rows, health, users, testing, onSwitch } = props;
  const byId = useMemo(() => new Map(health?.map((h) => [h.connection_id, h])), [health]);
  const columns: readonly Column<Connection>[] = [
    { key: 'name', header: 'Name', sort: 'name', card: 'title', cell: (c) => <NameCell connection={c} /> },
    { key: 'kind', header: 'Kind', card: 'line', cell: (c) => <KindCell connection={c} /> },
    {
      key: 'target',
      header: (
        <>
          Host<span className="max-sm:sr-only"> and database</span>
        </>
      ),
      card: 'line',
      className: 'sm:max-w-52',
      cell: (c) => (
        <span className="block truncate font-mono text-label text-muted" title={target(c)}>
          {target(c) || '–'}
        </span>
      ),
    },
    {
      key: 'health',
      header: 'Health',
      card: 'line',
      cell: (c) => <HealthState health={byId.get(c.id)} testing={testing === c.id} />,
    },
    {
      key: 'latency',
      header: 'Latency',
      num: true,
      card: 'hidden',
      cell: (c) => latency(byId.get(c.id)),
    },
    ...(users
      ? [
          {
            key: 'users',
            header: 'Used by',
            num: true,
            card: 'hidden' as const,
            cell: (c: Connection) => plural(users.get(c.id) ?? 0, 'tool'),
          },
        ]
      : []),
    {
      key: 'access',
      header: 'Access',
      card: 'hidden',
      cell: (c) => (c.read_only ? <Chip>Read-only</Chip> : <Chip tone="warn">Can write</Chip>),
    },
    {
      key: 'updated',
      header: 'Updated',
      sort: 'updated_at',
      card: 'hidden',
      className: 'text-muted max-xl:hidden',
      cell: (c) => <Time at={c.updated_at} />,
    },
    {
      key: 'enabled',
      header: 'Enabled',
      card: 'hidden',
      cell: (c) => <Switch label={`Enable ${c.name}`} checked={c.is_active} onChange={(on) => onSwitch(c, on)} />,
    },
    {
      key: 'actions',
      header: <span className="sr-only">Actions</span>,
      card: 'corner',
      className: 'text-right',
      cell: (c) => <RowMenu connection={c} {...props} />,
    },
  ];
  return (
    <DataTable
      label="Connections"
      columns={columns}
      rows={rows}
      rowKey={(c) => c.id}
      rowName={(c) => c.name}
      sort={props.sort}
      onSort={props.onSort}
      selected={props.selected}
      onSelect={props.onSelect}
    />
  );
}

function NameCell({ connection: c }: { connection: Connection }) {
  return (
    <span className="flex min-w-0 items-center gap-2 sm:max-w-60 sm:min-w-36">
      <Link
        to={paths.connection}
        params={{ id: c.id }}
        title={c.name}
        className="truncate rounded hover:text-link hover:underline"
      >
        {c.name}
      </Link>
      {c.needs_secret && <Chip tone="warn">Needs its password</Chip>}
    </span>
  );
}

function KindCell({ connection: c }: { connection: Connection }) {
  const { icon: Icon, title } = kinds[c.db_type];
  return (
    <span className="flex items-center gap-2 text-muted">
      <Icon aria-hidden />
      {title}
    </span>
  );
}

function latency(health: Health | undefined): string {
  return health?.status === 'ok' ? formatDuration(health.latency_ms) : '–';
}

type MenuProps = Pick<Props, 'onTest' | 'onSwitch' | 'onDelete'> & { connection: Connection };

function RowMenu({ connection: c, onTest, onSwitch, onDelete }: MenuProps) {
  const navigate = useNavigate();
  const open = (tab: 'schema' | 'used-by') =>
    void navigate({ to: paths.connection, params: { id: c.id }, search: { tab } });
  return (
    <Menu
      trigger={
        <button type="button" aria-label={`Actions for ${c.name}`} className={iconButtonClass('sm')}>
          <Ellipsis aria-hidden />
        </button>
      }
      items={[
        { label: 'Test connection', icon: <RotateCw aria-hidden />, onSelect: () => onTest(c) },
        { label: 'Show schema', icon: <Table2 aria-hidden />, onSelect: () => open('schema') },
        { label: 'Show what uses it', icon: <Wrench aria-hidden />, onSelect: () => open('used-by') },
        {
          label: c.is_active ? 'Disable' : 'Enable',
          icon: <Power aria-hidden />,
          onSelect: () => onSwitch(c, !c.is_active),
        },
        {
          label: 'Delete connection',
          icon: <Trash2 aria-hidden />,
          danger: true,
          separated: true,
          onSelect: () => onDelete(c),
        },
      ]}
    />
  );
}
