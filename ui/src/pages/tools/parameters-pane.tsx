import { useState } from 'react';
import { Notice } from '@/ui/notice';
import type { Builder } from './builder';
import { Metadata } from './metadata';
import { GoneRow, ParameterRow } from './parameter-row';

interface Props {
  builder: Builder;
  /** Shown beside other panes under a heading of its own; under a tab the tab is the heading. */
  heading?: boolean;
}

/** What the caller may say, and what the tool says about itself. */
export function ParametersPane({ builder, heading = true }: Props) {
  const { state, judgement, errors } = builder;
  const [open, setOpen] = useState('');
  const used = new Map(judgement.analysis?.parameters.map((u) => [u.name, u]));
  const saved = new Set(state.base.form.parameters.map((p) => p.name));
  return (
    <section aria-label="Parameters and metadata" className="min-h-0 min-w-0 flex-1 overflow-y-auto">
      <div className="sticky top-0 z-10 flex h-10 items-center gap-2 border-b border-line bg-bg px-4">
        {heading ? (
          <h2 className="text-control font-semibold">Parameters</h2>
        ) : (
          <h2 className="text-control text-muted">Parameters</h2>
        )}
        <span className="text-label text-muted tabular-nums">{state.form.parameters.length}</span>
        {state.form.parameters.length > 0 && <span className="ml-auto text-label text-muted">Test value</span>}
      </div>
      {state.form.parameters.length === 0 && state.gone.length === 0 && (
        <p className="border-b border-line px-4 py-3 text-control text-muted">
          Write <code className="font-mono text-label text-warn">:name</code> in the statement where the caller gives a
          value. It appears here with its type.
        </p>
      )}
      <ul>
        {state.form.parameters.map((p) => (
          <ParameterRow
            key={p.name}
            builder={builder}
            parameter={p}
            used={used.get(p.name)}
            renamedFrom={saved.has(state.renamed[p.name] ?? '') ? state.renamed[p.name] : undefined}
            open={open === p.name || Object.keys(errors).some((field) => field.startsWith(`parameters.${p.name}.`))}
            onToggle={() => setOpen(open === p.name ? '' : p.name)}
          />
        ))}
        {state.gone.map((g) => (
          <GoneRow key={g.parameter.name} builder={builder} gone={g} />
        ))}
      </ul>
      {state.form.input_schema != null && (
        <Notice tone="info" className="m-3">
          This tool has an input schema of its own. Clients see that one instead of what is set here.
        </Notice>
      )}
      <Metadata builder={builder} />
    </section>
  );
}
