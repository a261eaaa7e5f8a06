import { SearchX } from 'lucide-react';
import { formatList } from '@/lib/format';
import { Button } from '@/ui/button';
import { EmptyState } from '@/ui/empty-state';

interface Props {
  /** In the plural: "tools". */
  what: string;
  /** The filters in words: "“orders”", "kind SQLite". None: the page is behind the last one. */
  filters: readonly (string | false | undefined)[];
  onClear: () => void;
}

/** There is something, and the filters hide it. */
export function NothingMatches({ what, filters, onClear }: Props) {
  const words = filters.filter((word) => typeof word === 'string');
  return (
    <EmptyState
      icon={<SearchX aria-hidden />}
      title={words.length > 0 ? `No ${what} match ${formatList(words)}` : `No ${what} on this page`}
      actions={<Button onClick={onClear}>Clear filters</Button>}
    >
      Other {what} are there.
    </EmptyState>
  );
}
