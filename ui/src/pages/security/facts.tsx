import type { ReactNode } from 'react';

export type Fact = readonly [name: string, value: ReactNode, note?: string];

/** Names and values side by side, as many in a row as fit. */
export function Facts({ rows, label }: { rows: readonly Fact[]; label: string }) {
  return (
    <dl aria-label={label} className="grid grid-cols-[repeat(auto-fill,minmax(9rem,1fr))] gap-x-6 gap-y-2.5 px-4 py-3">
      {rows.map(([name, value, note]) => (
        <div key={name} className="min-w-0">
          <dt className="text-label text-muted">{name}</dt>
          <dd className="text-control break-words tabular-nums">{value}</dd>
          {note && <dd className="text-label text-muted">{note}</dd>}
        </div>
      ))}
    </dl>
  );
}
