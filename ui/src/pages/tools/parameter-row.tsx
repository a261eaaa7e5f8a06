import { ChevronRight, Undo2 } from 'lucide-react';
import { useId } from 'react';
import { equal } from '@/editing/equal';
import { cx } from '@/lib/cx';
import { Button } from '@/ui/button';
import { Chip } from '@/ui/chip';
import { Input } from '@/ui/input';
import { Select } from '@/ui/select';
import type { UsedParameter } from './api';
import type { Builder } from './builder';
import { argumentsOf, type ParameterForm } from './form';
import { ParameterSettings } from './parameter-settings';
import type { Gone } from './reconcile';

interface Props {
  builder: Builder;
  parameter: ParameterForm;
  /** What the statement says about it. */
  used: UsedParameter | undefined;
  /** The name it was saved under, when the statement calls it something else now. */
  renamedFrom: string | undefined;
  open: boolean;
  onToggle: () => void;
}

export function ParameterRow(props: Props) {
  const { builder, parameter: p, used, renamedFrom, open, onToggle } = props;
  const id = useId();
  const refused = builder.preview.argumentErrors[p.name];
  const given = argumentsOf([p], builder.state.tests)[p.name];
  const wrong = refused && equal(refused.value, given) ? refused.message : undefined;
  return (
    <li className={cx('border-b border-line', open && 'bg-surface')}>
      <div className="flex min-h-10 items-center gap-2 py-1 pr-4 pl-3 hover:bg-hover">
        <button
          type="button"
          aria-expanded={open}
          aria-controls={id}
          onClick={onToggle}
          className="flex min-h-7 min-w-0 flex-1 items-center gap-2 rounded text-left"
        >
          <ChevronRight aria-hidden className={cx('text-muted transition-transform', open && 'rotate-90')} />
          {/* One line where it fits; a long name never gives way to what is said about it. */}
          <span className="flex min-w-0 flex-1 flex-wrap items-center gap-x-2 gap-y-0.5">
            <span className="max-w-full truncate font-mono text-label text-warn">:{p.name}</span>
            <span className="flex items-center gap-2 text-label text-muted">
              {p.param_type}
              {p.is_required && p.default_value === '' && <Chip tone="accent">required</Chip>}
            </span>
          </span>
        </button>
        <TestValue {...props} errorId={wrong ? `${id}-test` : undefined} />
      </div>
      {wrong && (
        <p id={`${id}-test`} className="pr-4 pb-2 pl-9 text-right text-label text-bad">
          {wrong}
        </p>
      )}
      {renamedFrom && (
        <p className="pr-4 pb-2 pl-9 text-label text-muted">
          Renamed from <code className="font-mono">:{renamedFrom}</code>. Its settings were kept.
        </p>
      )}
      {open && <ParameterSettings builder={builder} parameter={p} used={used} id={id} />}
    </li>
  );
}

function TestValue({ builder, parameter: p, errorId }: Props & { errorId: string | undefined }) {
  const { state, dispatch } = builder;
  const given = state.tests[p.name] ?? '';
  const set = (text: string) => dispatch({ type: 'test', name: p.name, text });
  const label = `Test value for ${p.name}`;
  const fallback = p.default_value || (p.is_required ? 'needed' : 'NULL');
  if (p.param_type === 'boolean') {
    const unset = { value: '', label: fallback };
    return (
      <Select
        label={label}
        size="sm"
        mono
        aria-invalid={errorId ? true : undefined}
        aria-describedby={errorId}
        className="w-24! shrink-0 text-label!"
        value={given}
        onChange={set}
        options={[unset, { value: 'true', label: 'true' }, { value: 'false', label: 'false' }]}
      />
    );
  }
  return (
    <span className="w-24 shrink-0">
      <Input
        mono
        size="sm"
        aria-label={label}
        aria-invalid={errorId ? true : undefined}
        aria-describedby={errorId}
        value={given}
        placeholder={fallback}
        inputMode={p.param_type === 'integer' || p.param_type === 'number' ? 'decimal' : undefined}
        autoComplete="off"
        onChange={(e) => set(e.target.value)}
        className="px-2! text-right text-label!"
      />
    </span>
  );
}

/** A parameter whose placeholder left the statement. Saving the tool removes it for good. */
export function GoneRow({ builder, gone }: { builder: Builder; gone: Gone }) {
  const { name, param_type } = gone.parameter;
  return (
    <li className="flex min-h-10 items-center gap-2 border-b border-line py-1 pr-4 pl-9">
      <span className="min-w-0 flex-1">
        <s className="font-mono text-label text-muted">:{name}</s>
        <span className="ml-2 text-label text-muted">{param_type}, not in the statement</span>
      </span>
      <Button size="sm" onClick={() => builder.dispatch({ type: 'restore', name })}>
        <Undo2 aria-hidden className="size-3.5" />
        Restore
      </Button>
    </li>
  );
}
