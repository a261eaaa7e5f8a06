import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Check, ShoppingBag } from 'lucide-react';
import { describe } from '@/api/errors';
import { useAddSample, useRemoveSample } from '@/api/mutations';
import { allTokensQuery, connectionsQuery, deployStatusQuery, sampleQuery, toolsQuery } from '@/api/queries';
import { CallCard } from '@/components/call-card';
import { Page } from '@/components/page';
import { QueryState } from '@/components/query-state';
import { Time } from '@/components/time';
import { cx } from '@/lib/cx';
import { plural } from '@/lib/format';
import { buttons, states } from '@/lib/words';
import { SandboxCard } from '@/pages/security/sandbox-card';
import { Button, buttonClass } from '@/ui/button';
import { Card } from '@/ui/card';
import { CopyIcon } from '@/ui/copy-button';
import { Notice } from '@/ui/notice';
import { Skeleton } from '@/ui/skeleton';
import { State } from '@/ui/state';
import { toast } from '@/ui/toast-store';
import { checklist, type Facts, type Item } from './checklist';

export default function HomePage() {
  const facts = useFacts();
  return (
    <Page title="Home" description="From a database to a tool that an AI client can call.">
      <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_24rem]">
        <div className="grid min-w-0 gap-4">
          <Card title="Get to the first call" flush>
            <QueryState query={facts} what="the checklist" skeleton={<ChecklistSkeleton />}>
              {(data) => <Checklist items={checklist(data)} />}
            </QueryState>
          </Card>
          <CallCard />
        </div>
        <div className="grid grid-cols-1 gap-4">
          <ServerCard />
          <SampleCard />
          <SandboxCard />
        </div>
      </div>
    </Page>
  );
}

/** The facts behind the ticks. Each is a small query of its own that the event stream keeps true. */
function useFacts() {
  const connections = useQuery(connectionsQuery({ limit: 1 }));
  const tools = useQuery(toolsQuery({ limit: 1 }));
  const deploy = useQuery(deployStatusQuery);
  const tokens = useQuery(allTokensQuery);
  const parts = [connections, tools, deploy, tokens];
  const failed = parts.find((q) => q.isError);
  const data =
    connections.data &&
    tools.data &&
    deploy.data &&
    tokens.data &&
    toFacts(connections.data.total, tools.data.total, deploy.data, tokens.data.items);
  return {
    data,
    error: failed?.error,
    isError: failed !== undefined,
    isPending: data === undefined,
    isFetching: parts.some((q) => q.isFetching),
    dataUpdatedAt: Math.min(...parts.map((q) => q.dataUpdatedAt)),
    refetch: () => Promise.all(parts.map((q) => q.refetch())),
  };
}

interface Used {
  last_used_at: string | null;
  last_client: string;
  name: string;
}

function toFacts(
  connections: number,
  tools: number,
  deploy: { status: string; revision: number; endpoint: string },
  tokens: readonly Used[],
): Facts {
  const used = tokens
    .flatMap((t) => (t.last_used_at ? [{ name: t.last_client || `Token ${t.name}`, at: t.last_used_at }] : []))
    .sort((a, b) => b.at.localeCompare(a.at));
  const live = deploy.status === 'running' || deploy.status === 'deploying';
  return { connections, tools, liveRevision: live ? deploy.revision : 0, endpoint: deploy.endpoint, client: used[0] };
}

function Checklist({ items }: { items: readonly Item[] }) {
  return (
    <ol className="divide-y divide-line">
      {items.map((item, n) => (
        <li
          key={item.id}
          aria-current={item.next ? 'step' : undefined}
          className="flex flex-wrap items-center gap-x-3.5 gap-y-2.5 px-4 py-3.5"
        >
          <span
            aria-hidden
            className={cx(
              'grid size-7 shrink-0 place-items-center rounded-full border text-label font-semibold tabular-nums',
              item.done && 'border-ok bg-ok-soft text-ok',
              item.next && 'border-accent bg-accent-soft text-link',
              !item.done && !item.next && 'border-line text-muted',
            )}
          >
            {item.done ? <Check aria-hidden className="size-3.5 stroke-[2.25]" /> : n + 1}
          </span>
          <div className="min-w-0 flex-1">
            <p className={cx('text-body', item.done || item.next ? 'font-medium' : 'text-muted')}>
              {item.title}
              <span className="sr-only">{item.done ? ', done' : item.next ? ', next step' : ', not started'}</span>
            </p>
            <p className="text-control text-muted">{item.text}</p>
          </div>
          {item.next && (
            <Link to={item.action.to} className={buttonClass('primary', 'md', 'max-sm:w-full')}>
              {item.action.label}
            </Link>
          )}
        </li>
      ))}
    </ol>
  );
}

function ChecklistSkeleton() {
  return (
    <div className="divide-y divide-line">
      {['connect', 'build', 'deploy', 'client'].map((id) => (
        <div key={id} className="flex items-center gap-3.5 px-4 py-3.5">
          <Skeleton className="size-7 rounded-full" />
          <div className="grid h-[38px] content-evenly">
            <Skeleton className="h-3.5 w-40" />
            <Skeleton className="h-3 w-56" />
          </div>
        </div>
      ))}
    </div>
  );
}

function ServerCard() {
  const { data } = useQuery(deployStatusQuery);
  if (!data) return null;
  return (
    <Card title="Server">
      <div className="grid gap-3 text-control">
        {data.status === 'running' && <State kind="live">{`${states.live}, revision ${data.revision}`}</State>}
        {data.status === 'stopped' && <State kind="draft">{states.notRunning}</State>}
        {data.status === 'deploying' && <State kind="saved">{states.deploying}</State>}
        {data.status === 'error' && <State kind="error">{states.error}</State>}
        {data.error && <Notice tone="bad">{data.error}</Notice>}
        {data.started_at && (
          <p className="text-muted">
            Live since <Time at={data.started_at} look="moment" />, serves {plural(data.tools, 'tool')},{' '}
            {plural(data.resources, 'resource')} and {plural(data.prompts, 'prompt')}.
          </p>
        )}
        {data.endpoint && (
          <div className="flex items-center gap-1 rounded-md border border-line bg-bg pl-2.5">
            <code className="min-w-0 flex-1 py-1.5 font-mono text-label break-all">{data.endpoint}</code>
            <CopyIcon label="Copy address" text={data.endpoint} />
          </div>
        )}
      </div>
    </Card>
  );
}

function SampleCard() {
  const sample = useQuery(sampleQuery);
  const add = useAddSample();
  const remove = useRemoveSample();
  if (!sample.data) return null;
  const problem = add.error ?? remove.error;
  const { present } = sample.data;
  return (
    <Card title="Sample shop">
      <div className="grid gap-3 text-control">
        <p className="text-muted">
          {present
            ? 'The sample is here: a small shop in SQLite with three tools. Everything it made carries the tag sample.'
            : 'A small shop in SQLite with three tools, deployed and ready to call. It can be removed with one click.'}
        </p>
        {problem != null && <Notice tone="bad">{describe(problem).cause}</Notice>}
        <div>
          {present ? (
            <Button
              pending={remove.isPending}
              onClick={() =>
                remove.mutate(undefined, {
                  onSuccess: () =>
                    toast('Sample removed.', { action: { label: buttons.undo, run: () => add.mutate(undefined) } }),
                })
              }
            >
              Remove the sample
            </Button>
          ) : (
            <Button
              pending={add.isPending}
              onClick={() => add.mutate(undefined, { onSuccess: () => toast('Sample added and deployed.') })}
            >
              <ShoppingBag aria-hidden />
              Add the sample
            </Button>
          )}
        </div>
      </div>
    </Card>
  );
}
