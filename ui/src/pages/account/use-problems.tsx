import { useEffect, useRef, useState } from 'react';
import { describe, fieldErrors } from '@/api/errors';
import { focusFirstError } from '@/ui/form-errors';
import { Notice } from '@/ui/notice';

/** What is wrong with the fields of a dialog; `form` is for what belongs to no field. */
export type Problems = Readonly<Record<string, string | undefined>>;

/** The problems of one form: found here before it is sent, or told by the server. The focus goes to the first. */
export function useProblems(fields: readonly string[]) {
  const [problems, setProblems] = useState<Problems>({});
  const box = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the focus moves when something is found wrong
  useEffect(() => focusFirstError(box.current), [problems]);

  /** Takes over what was found; answers whether the form may be sent. */
  const found = (next: Problems): boolean => {
    const clean = Object.values(next).every((text) => !text);
    setProblems(clean ? {} : next);
    return clean;
  };
  const failed = (error: unknown) => {
    const told = Object.entries(fieldErrors(error)).filter(([field]) => fields.includes(field));
    const { cause, next } = describe(error);
    setProblems(told.length > 0 ? Object.fromEntries(told) : { form: `${cause} ${next}`.trim() });
  };
  return { problems, box, found, failed };
}

/** What belongs to no field, above them. */
export function FormProblem({ problems }: { problems: Problems }) {
  if (!problems.form) return null;
  return (
    <div role="alert">
      <Notice tone="bad">{problems.form}</Notice>
    </div>
  );
}
