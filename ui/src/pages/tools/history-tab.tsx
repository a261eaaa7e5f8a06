import { useQuery } from '@tanstack/react-query';
import { ChevronRight, History } from 'lucide-react';
import { useState } from 'react';
import { entityHistoryQuery } from '@/api/queries';
import { QueryState } from '@/components/query-state';
import { Time } from '@/components/time';
import { FieldChanges } from '@/editing/field-changes';
import { changesBetween, type FieldChange, type FieldTable } from '@/editing/fields';
import { actorName } from '@/lib/actor';
import { cx } from '@/lib/cx';
import { formatList } from '@/lib/format';
import { EmptyState } from '@/ui/empty-state';
import { SkeletonRows } from '@/ui/skeleton';
import type { HistoryEntry } from './api';
import type { Builder } from './builder';
import { fromTool, type ToolForm } from './form';
import { asTool } from './snapshot';
import { operationWord } from './words';

/** Who changed the tool, when, and what. */
export function HistoryTab({ builder }: { builder: Builder }) {
  const { id } = builder;
  if (!id) {
    return (
      <EmptyState icon={<History aria-hidden />} title="No history yet">
        It begins when the tool is saved. Every later change is kept here with who made it and what it changed.
      </EmptyState>
    );
  }
  return <Entries id={id} builder={builder} />;
}

function Entries({ id, builder }: { id: string; builder: Builder }) {
  const query = useQuery(entityHistoryQuery('tool', id));
  return (
    <div className="min-h-0 flex-1 overflow-y-auto">
      <QueryState query={query} what="the history" skeleton={<SkeletonRows rows={4} columns={2} />}>
        {({ items, total }) => (
          <>
            <ol className="divide-y divide-line">
              {items.map((entry) => (
                <Entry key={entry.id} entry={entry} fields={builder.fields} />
              ))}
            </ol>
            {total > items.length && (
              <p className="border-t border-line px-4 py-2 text-label text-muted">
                The newest {items.length} of {total} changes.
              </p>
            )}
          </>
        )}
      </QueryState>
    </div>
  );
}

/** What one entry changed; nothing for the one that made the tool. */
function changesOf(entry: HistoryEntry, fields: FieldTable<ToolForm>): FieldChange[] {
  const before = asTool(entry.before);
  const after = asTool(entry.after);
  return before && after ? changesBetween(fields, fromTool(before), fromTool(after)) : [];
}

function Entry({ entry, fields }: { entry: HistoryEntry; fields: FieldTable<ToolForm> }) {
  const [open, setOpen] = useState(false);
  const changes = changesOf(entry, fields);
  const version = asTool(entry.after)?.version;
  const heading = (
    <span className="min-w-0 flex-1">
      <span className="block text-control">
        <span className="font-medium">{version === undefined ? 'Deleted' : `Version ${version}`}</span>
        <span className="text-muted">
          {` · ${changes.length > 0 ? formatList(changes.map((c) => c.label)) : operationWord(entry.operation)}`}
        </span>
      </span>
    </span>
  );
  return (
    <li className="px-4 py-2.5">
      <div className="flex items-start gap-2">
        {changes.length > 0 ? (
          <button
            type="button"
            aria-expanded={open}
            onClick={() => setOpen(!open)}
            className="-ml-1.5 flex min-w-0 flex-1 items-start gap-1.5 rounded text-left"
          >
            <ChevronRight aria-hidden className={cx('mt-px text-muted transition-transform', open && 'rotate-90')} />
            {heading}
          </button>
        ) : (
          <span className="flex min-w-0 flex-1">{heading}</span>
        )}
      </div>
      <p className={cx('mt-0.5 text-label text-muted', changes.length > 0 && 'pl-4')}>
        {actorName(entry.actor)}, <Time at={entry.at} />
      </p>
      {open && (
        <div className="mt-2 pl-4">
          <FieldChanges changes={changes} />
        </div>
      )}
    </li>
  );
}
