import { type KeyboardEvent, type ReactNode, useRef } from 'react';
import { cx } from '@/lib/cx';
import { Checkbox } from './checkbox';
import { type SortDirection, Th } from './table';

export interface Column<Row> {
  key: string;
  header: ReactNode;
  cell: (row: Row) => ReactNode;
  num?: boolean;
  /** The server's sort key; without it the column cannot be sorted. */
  sort?: string;
  /**
   * Below 640 px a row is a card: its title (the link that opens the row), a line with the header as a label,
   * the corner for actions, or nothing. Cards show the three most important fields.
   */
  card: 'title' | 'line' | 'corner' | 'hidden';
  className?: string;
}

interface Props<Row> {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  /** The name of a row, for its checkbox. */
  rowName: (row: Row) => string;
  /** The sort in the server's notation: "name", "-updated_at". */
  sort?: string;
  onSort?: (sort: string) => void;
  selected?: ReadonlySet<string>;
  onSelect?: (selected: ReadonlySet<string>) => void;
}

/**
 * A list of entities. The title cell of each row holds a link: j/k (and the arrow keys) move between those links,
 * Enter opens, x or Space selects, Shift+x extends the selection. A click anywhere in a row opens it too.
 */
export function DataTable<Row>(props: Props<Row>) {
  const { label, columns, rows, rowKey, rowName, sort, onSort, selected, onSelect } = props;
  const body = useRef<HTMLTableSectionElement>(null);
  const anchor = useRef<number | undefined>(undefined);

  const select = (index: number, extend: boolean) => {
    if (!selected || !onSelect) return;
    const next = new Set(selected);
    const from = extend ? (anchor.current ?? index) : index;
    const range = rows.slice(Math.min(from, index), Math.max(from, index) + 1).map(rowKey);
    const on = extend || !range.every((key) => selected.has(key));
    for (const key of range) {
      if (on) next.add(key);
      else next.delete(key);
    }
    anchor.current = index;
    onSelect(next);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.target instanceof HTMLElement)) return;
    const link = event.target.closest<HTMLElement>('[data-row-link]');
    if (!link) return;
    const links = [...(body.current?.querySelectorAll<HTMLElement>('[data-row-link] a, a[data-row-link]') ?? [])];
    const index = links.findIndex((l) => link.contains(l) || l === link);
    const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key] ?? 0;
    if (step !== 0) links[index + step]?.focus();
    else if (event.key.toLowerCase() === 'x' || event.key === ' ') select(index, event.shiftKey);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div className="relative overflow-x-auto">
      {/* The roles are spelled out: a table shown as blocks loses its role in some browsers. */}
      <table
        role="table"
        aria-label={label}
        className="w-full border-separate border-spacing-0 text-control max-sm:block"
      >
        <thead role="rowgroup" className="max-sm:sr-only">
          <tr role="row">
            {selected && (
              <th role="columnheader" scope="col" className="w-8 border-b border-line pl-4">
                <span className="sr-only">Selected</span>
              </th>
            )}
            {columns.map((c) => (
              <Th
                key={c.key}
                num={c.num}
                className={c.className}
                sort={c.sort ? direction(sort, c.sort) : undefined}
                onSort={c.sort && onSort ? () => onSort(nextSort(sort, c.sort ?? '')) : undefined}
              >
                {c.header}
              </Th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup" ref={body} onKeyDown={onKeyDown} className="max-sm:block">
          {rows.map((row, index) => (
            <tr
              role="row"
              key={rowKey(row)}
              aria-selected={selected ? selected.has(rowKey(row)) : undefined}
              onClick={openRow}
              className="group/row cursor-pointer hover:bg-hover aria-selected:bg-accent-soft max-sm:relative max-sm:grid max-sm:gap-1 max-sm:border-b max-sm:border-line max-sm:px-4 max-sm:py-3 max-sm:last:border-b-0"
            >
              {selected && (
                <td role="cell" className="border-b border-line pl-4 group-last/row:border-b-0 max-sm:hidden">
                  <Checkbox
                    hideLabel
                    checked={selected.has(rowKey(row))}
                    onChange={() => select(index, false)}
                  >{`Select ${rowName(row)}`}</Checkbox>
                </td>
              )}
              {columns.map((c) => (
                <Cell key={c.key} column={c} row={row} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cell<Row>({ column: c, row }: { column: Column<Row>; row: Row }) {
  return (
    <td
      role="cell"
      data-row-link={c.card === 'title' ? '' : undefined}
      className={cx(
        'border-b border-line group-last/row:border-b-0 sm:h-10 sm:px-3 sm:whitespace-nowrap sm:first:pl-4 sm:last:pr-4 max-sm:border-b-0',
        c.num && 'tabular-nums sm:text-right',
        c.card === 'title' && 'font-medium max-sm:pr-10',
        c.card === 'line' && 'max-sm:flex max-sm:items-center max-sm:gap-2',
        c.card === 'corner' && 'max-sm:absolute max-sm:top-2 max-sm:right-3 max-sm:pointer-coarse:top-0',
        c.card === 'hidden' && 'max-sm:hidden',
        c.className,
      )}
    >
      {c.card === 'line' && <span className="w-24 shrink-0 text-label text-muted sm:hidden">{c.header}</span>}
      {c.cell(row)}
    </td>
  );
}

/** A click beside the controls of a row acts as a click on its link, so new-tab clicks and the router both work. */
function openRow(event: React.MouseEvent<HTMLTableRowElement>): void {
  // React hands on clicks from layers a row opened, its menu for instance, which are elsewhere in the document.
  if (!(event.target instanceof Element) || !event.currentTarget.contains(event.target)) return;
  if (event.target.closest('a, button, input, label, [role="checkbox"], [role="switch"]')) return;
  if (getSelection()?.toString()) return;
  const link = event.currentTarget.querySelector<HTMLAnchorElement>('[data-row-link] a');
  link?.dispatchEvent(new MouseEvent('click', { ...modifiers(event), bubbles: true, cancelable: true }));
}

function modifiers(event: React.MouseEvent): MouseEventInit {
  const { ctrlKey, metaKey, shiftKey, button } = event;
  return { ctrlKey, metaKey, shiftKey, button, view: window };
}

function direction(sort: string | undefined, key: string): SortDirection {
  if (sort === key) return 'ascending';
  return sort === `-${key}` ? 'descending' : 'none';
}

function nextSort(sort: string | undefined, key: string): string {
  return sort === key ? `-${key}` : key;
}
