import { useMemo } from 'react';
import { formatBytes } from '@/lib/format';
import { JsonCode } from '@/ui/json-code';

/** More than this is slow to paint and nobody reads it; the copy button still gives all. */
const mostShown = 200_000;

/** A JSON value, indented. */
export function JsonView({ value, label }: { value: unknown; label: string }) {
  const code = useMemo(() => JSON.stringify(value, null, 2) ?? '', [value]);
  const cut = code.length > mostShown;
  return (
    <>
      {cut && (
        <p className="shrink-0 border-b border-line px-4 py-1.5 text-label text-muted">
          The first {formatBytes(mostShown)} of {formatBytes(code.length)} are shown.
        </p>
      )}
      <JsonCode code={cut ? code.slice(0, mostShown) : code} label={label} className="min-h-0 flex-1" />
    </>
  );
}

/** The size of a value as JSON without spaces, in bytes of UTF-8. */
export function sizeOf(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value) ?? '').length;
}

/** About what a model spends on it: four characters a token, as the server estimates definitions. */
export function tokensOf(value: unknown): number {
  return Math.ceil((JSON.stringify(value) ?? '').length / 4);
}
