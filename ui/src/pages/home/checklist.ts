import { paths } from '@/lib/paths';

export interface Facts {
  connections: number;
  tools: number;
  /** The revision that serves calls now; 0 when none does. */
  liveRevision: number;
  endpoint: string;
  /** The last client that used a token, with its name and when; undefined until one did. */
  client?: { name: string; at: string };
}

/** Where the work of an item is done. */
const addresses: Readonly<Record<ItemId, { to: string; label: string }>> = {
  connect: { to: paths.connectionNew, label: 'Connect a database' },
  build: { to: paths.toolNew, label: 'Create a tool' },
  deploy: { to: paths.deploy, label: 'Open Deploy' },
  client: { to: paths.connect, label: 'Connect a client' },
};

export type ItemId = 'connect' | 'build' | 'deploy' | 'client';

export interface Item {
  id: ItemId;
  title: string;
  text: string;
  done: boolean;
  /** Exactly one item is the next step, until all are done. */
  next: boolean;
  action: { to: string; label: string };
}

/** The way from nothing to a first call. Ticks come from what is there, never from what was clicked. */
export function checklist(facts: Facts): Item[] {
  const items: Omit<Item, 'next' | 'action'>[] = [
    {
      id: 'connect',
      title: 'Connect a database',
      text: facts.connections > 0 ? amount(facts.connections, 'connection') : 'How the server reaches your data.',
      done: facts.connections > 0,
    },
    {
      id: 'build',
      title: 'Build a tool',
      text: facts.tools > 0 ? amount(facts.tools, 'tool') : 'One SQL statement with typed parameters.',
      done: facts.tools > 0,
    },
    {
      id: 'deploy',
      title: 'Deploy',
      text: facts.liveRevision > 0 ? `Revision ${facts.liveRevision} is live.` : 'Publishes what is saved.',
      done: facts.liveRevision > 0,
    },
    {
      id: 'client',
      title: 'Connect a client',
      text: facts.client ? `${facts.client.name} has called.` : 'Claude Code, Cursor, VS Code or any other MCP client.',
      done: facts.client !== undefined,
    },
  ];
  const next = items.find((item) => !item.done);
  return items.map((item) => ({ ...item, next: item === next, action: addresses[item.id] }));
}

function amount(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}.`;
}
