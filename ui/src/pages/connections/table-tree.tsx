import { ChevronRight, Eye, Table2 } from 'lucide-react';
import { useState } from 'react';
import { cx } from '@/lib/cx';
import { formatCount } from '@/lib/format';
import { type Group, kindWord, type Table, tableName } from './tables';

/** Schemas are open at first while all their tables together are few. */
const fewTables = 200;

interface Props {
  groups: readonly Group[];
  /** Everything a search found is shown open. */
  searching: boolean;
  chosen: string | undefined;
  onChoose: (table: Table) => void;
}

export function TableTree({ groups, searching, chosen, onChoose }: Props) {
  const [toggled, setToggled] = useState<ReadonlySet<string>>(new Set());
  const few = groups.reduce((sum, g) => sum + g.tables.length, 0) <= fewTables;
  const isOpen = (schema: string) => searching || (few || groups.length === 1) !== toggled.has(schema);
  const toggle = (schema: string) => {
    const next = new Set(toggled);
    if (!next.delete(schema)) next.add(schema);
    setToggled(next);
  };
  // A database without schemas needs no level for them.
  const [only] = groups;
  if (groups.length === 1 && only && (only.schema === '' || only.schema === 'main')) {
    return <Tables tables={only.tables} chosen={chosen} onChoose={onChoose} />;
  }
  return (
    <ul>
      {groups.map(({ schema, tables }) => (
        <li key={schema}>
          <button
            type="button"
            aria-expanded={isOpen(schema)}
            onClick={() => toggle(schema)}
            className="focus-inset sticky top-0 flex h-8 w-full pointer-coarse:h-11 items-center gap-1.5 border-b border-line bg-surface px-3 text-left text-label font-medium text-muted hover:text-fg"
          >
            <ChevronRight aria-hidden className={cx('transition-transform', isOpen(schema) && 'rotate-90')} />
            <span className="min-w-0 flex-1 truncate">{schema}</span>
            <span className="tabular-nums">{formatCount(tables.length)}</span>
          </button>
          {isOpen(schema) && <Tables tables={tables} chosen={chosen} onChoose={onChoose} />}
        </li>
      ))}
    </ul>
  );
}

type TablesProps = Pick<Props, 'chosen' | 'onChoose'> & { tables: readonly Table[] };

function Tables({ tables, chosen, onChoose }: TablesProps) {
  return (
    <ul className="py-1">
      {tables.map((table) => {
        const Icon = table.kind === 'table' || table.kind === 'foreign_table' ? Table2 : Eye;
        return (
          <li key={tableName(table)}>
            <button
              type="button"
              aria-current={tableName(table) === chosen || undefined}
              onClick={() => onChoose(table)}
              className="focus-inset flex min-h-8 w-full items-center gap-2 px-3 py-1 text-left text-control hover:bg-hover aria-[current]:bg-accent-soft aria-[current]:font-medium pointer-coarse:min-h-11"
            >
              <Icon aria-hidden className="text-muted" />
              <span className="min-w-0 flex-1 truncate font-mono text-label">{table.name}</span>
              {table.kind !== 'table' && <span className="sr-only">, {kindWord(table.kind)}</span>}
              {table.rows >= 0 && (
                <span className="shrink-0 text-label font-normal text-muted tabular-nums">
                  ≈ {formatCount(table.rows)}
                </span>
              )}
            </button>
          </li>
        );
      })}
    </ul>
  );
}
