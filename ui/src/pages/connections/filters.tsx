import { type ReactNode, useEffect, useRef, useState } from 'react';
import { Input } from '@/ui/input';
import { Select } from '@/ui/select';
import { kindNames, kinds } from './kinds';
import type { ListSearch } from './list-search';

/** How long typing pauses before the list follows. */
const pauseMs = 250;

const all = { value: 'all', label: 'All kinds' } as const;
const kindChoices = [all, ...kindNames.map((kind) => ({ value: kind, label: kinds[kind].title }))];

interface Props {
  search: ListSearch;
  onChange: (search: ListSearch) => void;
  aside: ReactNode;
}

export function Filters({ search, onChange, aside }: Props) {
  const asked = search.search ?? '';
  const [text, setText] = useState(asked);
  // Back, Forward and "Clear filters" change the address without typing.
  useEffect(() => setText(asked), [asked]);

  const latest = useRef({ search, onChange });
  latest.current = { search, onChange };
  useEffect(() => {
    if (text === asked) return;
    const timer = setTimeout(() => {
      latest.current.onChange({ ...latest.current.search, search: text || undefined, skip: undefined });
    }, pauseMs);
    return () => clearTimeout(timer);
  }, [text, asked]);

  return (
    <search className="flex flex-wrap items-center gap-2">
      <Input
        type="search"
        aria-label="Search connections"
        aria-keyshortcuts="/"
        placeholder="Search by name or host"
        value={text}
        onChange={(e) => setText(e.target.value)}
        onKeyDown={(e) => {
          if (e.key === 'Escape' && text !== '') setText('');
        }}
        className="max-w-72 max-sm:max-w-none max-sm:basis-full"
      />
      <Select
        label="Kind"
        value={search.db_type ?? all.value}
        onChange={(kind) => onChange({ ...search, db_type: kind === all.value ? undefined : kind, skip: undefined })}
        options={kindChoices}
        className="!w-40"
      />
      {aside}
    </search>
  );
}
