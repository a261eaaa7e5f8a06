import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { driversQuery } from '@/api/queries';
import { type FormError, FormErrors, focusFirstError } from '@/ui/form-errors';
import { Notice } from '@/ui/notice';
import { Advanced } from './advanced';
import { Basics } from './basics';
import { fieldLabels } from './fields';
import { fieldId } from './form-parts';
import { KindCard } from './kind-tiles';
import { kinds } from './kinds';
import { Access, Limits } from './limits';
import { TestCard } from './test-card';
import { Tls } from './tls';
import type { Errors, Form } from './use-form';
import type { TestState } from './use-test';
import { sameTarget, withKind } from './values';

interface Props {
  form: Form;
  test: TestState;
  onCancelTest: () => void;
  onSave: () => void;
}

export function SettingsTab({ form, test, onCancelTest, onSave }: Props) {
  const box = useRef<HTMLFormElement>(null);
  const result = useRef<HTMLDivElement>(null);
  const drivers = useQuery(driversQuery);
  const { values, refusals } = form;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the focus moves when something is found wrong, not when it is mended
  useEffect(() => focusFirstError(box.current), [refusals]);

  // Where the test stands below the form it would run unseen.
  const { phase } = test;
  useEffect(() => {
    if (phase === 'idle' || matchMedia('(min-width: 64rem)').matches) return;
    result.current?.scrollIntoView({ block: 'center' });
  }, [phase]);

  return (
    <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_25rem]">
      <form
        ref={box}
        noValidate
        aria-label="Connection"
        className="grid min-w-0 gap-4"
        onSubmit={(e) => {
          e.preventDefault();
          onSave();
        }}
      >
        <FormErrors errors={summary(form.errors)} />
        {form.saved?.needs_secret && (
          <Notice tone="warn" title="The password has to be entered again">
            An import or a rollback changed where this connection leads, so its stored password was removed.
          </Notice>
        )}
        <KindCard
          value={values.db_type}
          onChange={(kind) => form.replace(withKind(values, kind))}
          drivers={drivers.data?.items}
          folded={form.saved !== undefined}
          error={form.errors.db_type}
        />
        <Basics form={form} />
        {kinds[values.db_type].host && <Tls form={form} />}
        <Access form={form} />
        <Limits form={form} />
        <Advanced form={form} />
        {/* Enter in any field saves, as in every form; the buttons that show it are in the page's header. */}
        <button type="submit" tabIndex={-1} className="sr-only">
          Save connection
        </button>
      </form>
      <div ref={result} className="grid gap-4 lg:sticky lg:top-16">
        <TestCard
          state={test}
          values={values}
          outdated={test.phase === 'done' && !sameTarget(test.values, values)}
          onCancel={onCancelTest}
          onHost={(host) => form.change({ host })}
          onTls={() => document.getElementById(fieldId('ssl_mode'))?.focus()}
        />
        {values.db_type !== 'sqlite' && (
          <Notice tone="info" title="Use a user that can read only what the tools need">
            The studio cannot limit what the database does for this user: functions, foreign tables and server-side
            files follow the rights it has there.
          </Notice>
        )}
      </div>
    </div>
  );
}

const wireLabels: Readonly<Record<string, string>> = {
  ...fieldLabels,
  password: 'Password',
  max_result_bytes: fieldLabels.max_result_kib,
  extra_params: 'Options',
};

/** Errors of fields that are on the page link there; anything else is said in full. */
function summary(errors: Errors): FormError[] {
  return Object.entries(errors).map(([name, message]) => {
    const [, option] = /^extra_params\.(.*)$/.exec(name) ?? [];
    const label = option === undefined ? wireLabels[name] : option || 'Option';
    return label
      ? { id: fieldId(name), label, message }
      : { id: '', label: '', message: name ? `${name}: ${message}` : message };
  });
}
