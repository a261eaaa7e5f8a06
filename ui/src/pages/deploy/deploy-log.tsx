import { useEffect, useState } from 'react';
import { describe } from '@/api/errors';
import type { components } from '@/api/schema';
import { openStream, type StreamState } from '@/api/stream';
import { serverPaths } from '@/lib/paths';
import { Card } from '@/ui/card';
import { type LogEntry, LogView } from '@/ui/log-view';
import { Notice } from '@/ui/notice';

/** As many lines as the server keeps. */
const mostLines = 2_000;

export function DeployLog() {
  const [lines, setLines] = useState<readonly LogEntry[]>([]);
  const [state, setState] = useState<StreamState>('connecting');
  const [problem, setProblem] = useState('');
  useEffect(() => {
    const stream = openStream(`${serverPaths.deployLogs}?tail=200`, {
      onState: setState,
      onError: (error) => setProblem(describe(error).cause),
      onEvent: (event) => {
        if (event.type !== 'log') return;
        const entry = toEntry(event.data);
        // The server repeats what it is not sure about after a reconnect.
        setLines((old) => (old.some((l) => l.id === entry.id) ? old : [...old, entry].slice(-mostLines)));
      },
    });
    return stream.close;
  }, []);
  return (
    <Card label="Logs" flush>
      {problem && (
        <Notice tone="bad" title="The log cannot be followed" className="m-3">
          {problem}
        </Notice>
      )}
      <LogView
        label="Deploy log"
        live
        lines={lines}
        file="studio-deploy.log"
        empty={state === 'open' ? 'No lines yet. They appear with the next deploy.' : 'Connecting to the log…'}
        className="h-120"
      />
    </Card>
  );
}

const levels = ['debug', 'info', 'warn', 'error'] as const;

function toEntry(data: string): LogEntry {
  const line: components['schemas']['LogLine'] = JSON.parse(data);
  const attrs = Object.entries(line.attrs ?? {}).map(([key, value]) => ` ${key}=${value}`);
  return {
    id: String(line.id),
    at: line.at,
    level: levels.find((l) => l === line.level) ?? 'info',
    source: line.source,
    text: line.message + attrs.join(''),
  };
}
