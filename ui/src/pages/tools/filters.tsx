import { ChevronDown, Database, X } from 'lucide-react';
import type { ReactNode } from 'react';
import { SearchBox } from '@/components/list/search-box';
import { Button, buttonClass } from '@/ui/button';
import { ChoiceMenu } from '@/ui/menu';
import { Segmented } from '@/ui/segmented';
import type { Connection } from './api';
import type { ToolsSearch } from './search';

interface Props {
  search: ToolsSearch;
  connections: readonly Connection[];
  onChange: (change: Partial<ToolsSearch>) => void;
  aside: ReactNode;
}

/** What narrows the list. All of it is in the address. */
export function Filters({ search, connections, onChange, aside }: Props) {
  const options = [
    { value: '', label: 'All connections' },
    ...connections.map((c) => ({ value: c.id, label: c.name })),
  ];
  return (
    <search className="flex flex-wrap items-center gap-2">
      <SearchBox
        label="Search tools"
        placeholder="Search names and descriptions"
        text={search.search ?? ''}
        onChange={(text) => onChange({ search: text || undefined })}
      />
      {(connections.length > 1 || search.connection) && (
        <ChoiceMenu
          label="Connection"
          value={search.connection ?? ''}
          onChange={(connection) => onChange({ connection: connection || undefined })}
          options={options}
          trigger={
            <button type="button" className={buttonClass('outline')}>
              <Database aria-hidden className="text-muted" />
              <span className="sr-only">Connection: </span>
              <span className="max-w-40 truncate">
                {options.find((o) => o.value === (search.connection ?? ''))?.label ?? 'Unknown connection'}
              </span>
              <ChevronDown aria-hidden className="size-3.5 text-muted" />
            </button>
          }
        />
      )}
      <Segmented<'all' | 'yes' | 'no'>
        label="State"
        value={search.enabled ?? 'all'}
        onChange={(enabled) => onChange({ enabled: enabled === 'all' ? undefined : enabled })}
        options={[
          { value: 'all', label: 'All' },
          { value: 'yes', label: 'Enabled' },
          { value: 'no', label: 'Disabled' },
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
