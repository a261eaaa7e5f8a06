import type { ReactNode } from 'react';
import { SearchBox } from '@/components/list/search-box';
import { Select } from '@/ui/select';
import { kindNames, kinds } from './kinds';
import type { ListSearch } from './list-search';

const all = { value: 'all', label: 'All kinds' } as const;
const kindChoices = [all, ...kindNames.map((kind) => ({ value: kind, label: kinds[kind].title }))];

interface Props {
  search: ListSearch;
  onChange: (change: Partial<ListSearch>) => void;
  aside: ReactNode;
}

export function Filters({ search, onChange, aside }: Props) {
  return (
    <search className="flex flex-wrap items-center gap-2">
      <SearchBox
        label="Search connections"
        placeholder="Search names and hosts"
        text={search.search ?? ''}
        onChange={(text) => onChange({ search: text || undefined })}
      />
      <Select
        label="Kind"
        value={search.db_type ?? all.value}
        onChange={(kind) => onChange({ db_type: kind === all.value ? undefined : kind })}
        options={kindChoices}
        className="!w-40"
      />
      {aside}
    </search>
  );
}
