import { ChevronDown, Database, Search, X } from 'lucide-react';
import { type RefObject, useEffect, useState } from 'react';
import { Button, buttonClass } from '@/ui/button';
import { Input } from '@/ui/input';
import { ChoiceMenu } from '@/ui/menu';
import { Segmented } from '@/ui/segmented';
import type { Connection } from './api';
import type { ToolsSearch } from './search';
import { useDebounced } from './use-debounced';

interface Props {
  search: ToolsSearch;
  connections: readonly Connection[];
  /** The search box, for the key that jumps to it. */
  box: RefObject<HTMLInputElement | null>;
  onChange: (change: Partial<ToolsSearch>) => void;
}

/** What narrows the list. All of it is in the address. */
export function Filters({ search, connections, box, onChange }: Props) {
  const options = [
    { value: '', label: 'All connections' },
    ...connections.map((c) => ({ value: c.id, label: c.name })),
  ];
  return (
    <search className="flex flex-wrap items-center gap-2">
      <SearchBox text={search.search ?? ''} box={box} onChange={(text) => onChange({ search: text || undefined })} />
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
    </search>
  );
}

interface BoxProps {
  text: string;
  box: RefObject<HTMLInputElement | null>;
  onChange: (text: string) => void;
}

/** Types ahead of the address, which follows after a short pause. */
function SearchBox({ text, box, onChange }: BoxProps) {
  const [typed, setTyped] = useState(text);
  const [known, setKnown] = useState(text);
  if (text !== known) {
    // The address changed by itself: Back, or cleared filters.
    setKnown(text);
    setTyped(text);
  }
  const settled = useDebounced(typed, 250);
  useEffect(() => {
    if (settled !== typed || settled.trim() === text) return;
    setKnown(settled.trim());
    onChange(settled.trim());
  }, [settled, typed, text, onChange]);
  return (
    <div className="relative w-64 max-sm:w-full">
      <Search
        aria-hidden
        className="pointer-events-none absolute top-1/2 left-2.5 size-3.5 -translate-y-1/2 text-muted"
      />
      <Input
        ref={box}
        type="search"
        aria-label="Search tools"
        aria-keyshortcuts="/"
        placeholder="Search names and descriptions"
        value={typed}
        onChange={(e) => setTyped(e.target.value)}
        className="pl-8!"
      />
    </div>
  );
}
