import { X } from 'lucide-react';
import type { ReactNode } from 'react';
import { SearchBox } from '@/components/list/search-box';
import { states } from '@/lib/words';
import { Button } from '@/ui/button';
import { Segmented } from '@/ui/segmented';
import { Select } from '@/ui/select';
import type { Connection } from './api';
import type { ToolsSearch } from './search';

const all = { value: 'all', label: 'All connections' } as const;

interface Props {
  search: ToolsSearch;
  connections: readonly Connection[];
  onChange: (change: Partial<ToolsSearch>) => void;
  aside: ReactNode;
}

/** What narrows the list. All of it is in the address. */
export function Filters({ search, connections, onChange, aside }: Props) {
  const options: { value: string; label: string }[] = [
    all,
    ...connections.map((c) => ({ value: c.id, label: c.name })),
  ];
  if (search.connection && !connections.some((c) => c.id === search.connection)) {
    options.push({ value: search.connection, label: 'Unknown connection' });
  }
  return (
    <search className="flex flex-wrap items-center gap-2">
      <SearchBox
        label="Search tools"
        placeholder="Search names and descriptions"
        text={search.search ?? ''}
        onChange={(text) => onChange({ search: text || undefined })}
      />
      {(connections.length > 1 || search.connection) && (
        <Select
          label="Connection"
          value={search.connection ?? all.value}
          onChange={(id) => onChange({ connection: id === all.value ? undefined : id })}
          options={options}
          className="!w-44"
        />
      )}
      <Segmented<'all' | 'yes' | 'no'>
        label="State"
        value={search.enabled ?? 'all'}
        onChange={(enabled) => onChange({ enabled: enabled === 'all' ? undefined : enabled })}
        options={[
          { value: 'all', label: 'All' },
          { value: 'yes', label: states.enabled },
          { value: 'no', label: states.disabled },
        ]}
      />
      {search.tag && (
        <Button size="sm" onClick={() => onChange({ tag: undefined })}>
          {`Tag ${search.tag}`}
          <X aria-hidden className="size-3.5" />
          <span className="sr-only">remove filter</span>
        </Button>
      )}
      {aside}
    </search>
  );
}
