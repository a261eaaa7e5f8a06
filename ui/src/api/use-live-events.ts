import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { serverPaths } from '@/lib/paths';
import { deployStatusQuery } from './queries';
import { invalidateKind } from './query-client';
import type { components } from './schema';
import { openSharedStream } from './shared-stream';

/** Keeps the cache true while the page is open: the server tells every change, whoever made it. All pages share one stream. */
export function useLiveEvents(): void {
  const client = useQueryClient();
  useEffect(() => {
    let opened = false;
    const stream = openSharedStream(serverPaths.events, {
      onState: (state) => {
        if (state !== 'open') return;
        // What happened while the stream was away is not told again.
        if (opened) void client.invalidateQueries();
        opened = true;
      },
      onEvent: (event) => {
        if (event.type === 'deploy') {
          const status = deployStatus(event.data);
          client.setQueryData(deployStatusQuery.queryKey, status);
          // The status too: an answer that was asked for before the event would come after it and stay.
          if (status.status !== 'deploying') void client.invalidateQueries({ queryKey: ['deploy'] });
        }
        if (event.type === 'token') void invalidateKind(client, 'mcp_token');
        if (event.type === 'change') void invalidateKind(client, entityType(event.data));
      },
    });
    return stream.close;
  }, [client]);
}

function deployStatus(data: string): components['schemas']['DeployStatus'] {
  return JSON.parse(data);
}

function entityType(data: string): string {
  const change: { entity_type: string } = JSON.parse(data);
  return change.entity_type;
}
