import { Search } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useDebounced } from '@/lib/use-debounced';
import { Input } from '@/ui/input';

/** How long typing pauses before the list follows. */
const pauseMs = 250;

interface Props {
  label: string;
  placeholder: string;
  /** As it is in the address. */
  text: string;
  onChange: (text: string) => void;
}

/** Types ahead of the address, which follows after a short pause. `/` leads here: see useListActions. */
export function SearchBox({ label, placeholder, text, onChange }: Props) {
  const [typed, setTyped] = useState(text);
  const [known, setKnown] = useState(text);
  if (text !== known) {
    // The address changed by itself: Back, or cleared filters.
    setKnown(text);
    setTyped(text);
  }
  const settled = useDebounced(typed, pauseMs);
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
        type="search"
        aria-label={label}
        aria-keyshortcuts="/"
        placeholder={placeholder}
        value={typed}
        onChange={(e) => setTyped(e.target.value)}
        onKeyDown={(e) => {
          if (e.key === 'Escape' && typed !== '') setTyped('');
        }}
        className="pl-8!"
      />
    </div>
  );
}
