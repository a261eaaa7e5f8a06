import { type ReactNode, useId } from 'react';
import { cx } from '@/lib/cx';

export interface FieldIds {
  id: string;
  'aria-describedby'?: string;
  'aria-invalid'?: true;
  'aria-required'?: true;
}

interface Props {
  label: string;
  /** Set it when an error summary links to the field. */
  id?: string;
  hint?: ReactNode;
  error?: string;
  /** True adds nothing to read; false adds the word "optional"; leave it out where neither helps. */
  required?: boolean;
  aside?: ReactNode;
  className?: string;
  children: (ids: FieldIds) => ReactNode;
}

/** Label, control, hint and error, tied together by ids. The hint stays when there is an error: it often explains it. */
export function Field({ label, id, hint, error, required, aside, className, children }: Props) {
  const own = useId();
  const fieldId = id ?? own;
  const hintId = hint ? `${fieldId}-hint` : undefined;
  const errorId = error ? `${fieldId}-error` : undefined;
  const described = [errorId, hintId].filter(Boolean).join(' ') || undefined;
  return (
    <div className={cx('grid content-start gap-1.5', className)}>
      <div className="flex items-baseline gap-1.5">
        <label htmlFor={fieldId} className="text-label font-medium">
          {label}
        </label>
        {required === false && <span className="text-label text-muted">optional</span>}
        {aside && <span className="ml-auto text-label text-muted tabular-nums">{aside}</span>}
      </div>
      {children({
        id: fieldId,
        'aria-describedby': described,
        'aria-invalid': error ? true : undefined,
        'aria-required': required ? true : undefined,
      })}
      {error && (
        <p id={errorId} className="text-label text-bad">
          {error}
        </p>
      )}
      {hint && (
        <p id={hintId} className="text-label text-muted">
          {hint}
        </p>
      )}
    </div>
  );
}
