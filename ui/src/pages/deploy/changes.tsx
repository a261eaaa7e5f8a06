import type { UseQueryResult } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ChevronRight, CircleCheck, Equal, Minus, Plus, Rocket, TriangleAlert } from 'lucide-react';
import { useState } from 'react';
import type { components } from '@/api/schema';
import { QueryState } from '@/components/query-state';
import { cx } from '@/lib/cx';
import { sentence } from '@/lib/format';
import { lineDiff } from '@/lib/line-diff';
import { paths } from '@/lib/paths';
import { states } from '@/lib/words';
import { buttonClass } from '@/ui/button';
import { Card } from '@/ui/card';
import { Chip } from '@/ui/chip';
import { Diff } from '@/ui/diff';
import { EmptyState } from '@/ui/empty-state';
import { SkeletonRows } from '@/ui/skeleton';
import { State } from '@/ui/state';

import { kindWord } from './words';

type Change = components['schemas']['Change'];
type Problem = components['schemas']['Problem'];
interface Difference {
  changes: Change[];
  problems: Problem[];
}

const looks = {
  added: { icon: Plus, ink: 'text-ok', word: 'Added' },
  changed: { icon: Equal, ink: 'text-warn', word: 'Changed' },
  removed: { icon: Minus, ink: 'text-bad', word: 'Removed' },
};
const kinds = ['added', 'changed', 'removed'] as const;

export function Changes({ query, live }: { query: UseQueryResult<Difference>; live: boolean }) {
  return (
    <QueryState query={query} what="changes" skeleton={<SkeletonRows rows={4} />}>
      {({ changes, problems }) => {
        // Before the first tool that is no mistake, and said below.
        const told = changes.length > 0 || live ? problems : problems.filter((p) => p.code !== 'empty');
        return (
          <div className="grid grid-cols-1 gap-4">
            {told.length > 0 && <Problems problems={told} />}
            {changes.length === 0 ? <NoChanges live={live} /> : <ChangeGroups changes={changes} />}
          </div>
        );
      }}
    </QueryState>
  );
}

function NoChanges({ live }: { live: boolean }) {
  if (!live) {
    return (
      <Card label="No changes">
        <EmptyState
          icon={<Rocket aria-hidden />}
          title="Nothing to deploy yet"
          actions={
            <Link to={paths.toolNew} className={buttonClass('primary')}>
              <Plus aria-hidden />
              Create tool
            </Link>
          }
        >
          What you save is listed here until it is deployed.
        </EmptyState>
      </Card>
    );
  }
  return (
    <Card label="No changes">
      <EmptyState icon={<CircleCheck aria-hidden />} title="Everything saved is live">
        What you save from now on is listed here until it is deployed.
      </EmptyState>
    </Card>
  );
}

function Problems({ problems }: { problems: readonly Problem[] }) {
  return (
    <Card title="Validation" flush>
      <ul className="divide-y divide-line">
        {problems.map((p) => (
          <li
            key={`${p.entity_id} ${p.field} ${p.code}`}
            className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2.5"
          >
            <State kind={p.severity} className="w-24 shrink-0">
              {states[p.severity]}
            </State>
            <span className="min-w-0 flex-1 text-control">
              <code className="font-mono text-label">{p.entity_name}</code> {sentence(p.message)}
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

/** Changes by kind, each with what it means for clients and its difference. */
export function ChangeGroups({ changes }: { changes: readonly Change[] }) {
  return (
    <Card flush label="Changes">
      {kinds.map((kind) => {
        const { icon: Icon, ink, word } = looks[kind];
        const items = changes.filter((c) => c.kind === kind);
        if (items.length === 0) return null;
        return (
          <section key={kind} aria-label={word} className="border-b border-line last:border-b-0">
            <h3 className="flex h-8 items-center gap-2 bg-raised/50 px-4 text-label font-medium text-muted">
              <Icon aria-hidden className={cx('size-3.5', ink)} />
              {word}
              <span className="tabular-nums">{items.length}</span>
            </h3>
            <ul className="divide-y divide-line border-t border-line">
              {items.map((c) => (
                <ChangeRow key={`${c.entity_type} ${c.entity_id} ${c.name}`} change={c} />
              ))}
            </ul>
          </section>
        );
      })}
    </Card>
  );
}

function ChangeRow({ change }: { change: Change }) {
  const [open, setOpen] = useState(change.breaking);
  return (
    <li>
      <button
        type="button"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        className="focus-inset flex w-full items-start gap-2 px-4 py-2.5 text-left hover:bg-hover"
      >
        <ChevronRight aria-hidden className={cx('mt-0.5 -ml-1 text-muted transition-transform', open && 'rotate-90')} />
        <span className="grid min-w-0 flex-1 gap-0.5">
          <span className="flex flex-wrap items-center gap-2">
            <span className={cx('text-control font-medium break-words', isCode(change) && 'font-mono break-all')}>
              {change.name}
            </span>
            <span className="text-label text-muted">{kindWord(change.entity_type)}</span>
            {change.breaking && (
              <Chip tone="bad">
                <TriangleAlert aria-hidden className="size-3" />
                Breaking
              </Chip>
            )}
          </span>
          {change.sentences.map((sentence) => (
            <span key={sentence} className={cx('text-control', change.breaking ? 'text-fg' : 'text-muted')}>
              {sentence}
            </span>
          ))}
        </span>
      </button>
      {open && (
        <div className="grid gap-3 px-4 pb-3 pl-9">
          {change.fields.map((f) => (
            <div key={f.field}>
              <p className="mb-1 text-label text-muted">{f.field}</p>
              <Diff
                label={`Difference in ${f.field} of ${change.name}`}
                lines={lineDiff(text(f.before), text(f.after), 3)}
              />
            </div>
          ))}
        </div>
      )}
    </li>
  );
}

/** Names that clients and statements use; a connection and the server are called as people call them. */
const isCode = (change: Change): boolean => !['connection', 'server_config'].includes(change.entity_type);

/** Long texts come as strings and keep their lines; everything else is shown as JSON. */
function text(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2);
}
