import { type ChangeEvent, useId, useRef } from 'react';
import { Button } from '@/ui/button';
import { Card } from '@/ui/card';
import { Field } from '@/ui/field';
import { Notice } from '@/ui/notice';
import { Select } from '@/ui/select';
import { Textarea } from '@/ui/textarea';
import { fieldId, type SectionProps, textField } from './form-parts';
import type { TlsMode } from './values';

/** In PostgreSQL's words (libpq, "SSL Mode Descriptions"), which the studio uses for every kind. */
const modes: readonly { value: TlsMode; label: string; hint: string }[] = [
  { value: 'disable', label: 'disable', hint: 'No encryption. Passwords and rows can be read on the way.' },
  { value: 'allow', label: 'allow', hint: 'Encrypts only when the server insists.' },
  { value: 'prefer', label: 'prefer', hint: 'Encrypts when the server can. Does not check who answers.' },
  { value: 'require', label: 'require', hint: 'Always encrypts. Does not check who answers.' },
  { value: 'verify-ca', label: 'verify-ca', hint: 'Also checks that a trusted authority signed the certificate.' },
  {
    value: 'verify-full',
    label: 'verify-full',
    hint: 'Also checks that the certificate is for this host. The safest.',
  },
];

export function Tls({ form }: SectionProps) {
  const { ssl_mode: mode, host } = form.values;
  const verifies = mode === 'verify-ca' || mode === 'verify-full';
  const local = /^(localhost|127\.|::1$|$)/i.test(host.trim());
  return (
    <Card title="TLS" meta="How the way to the server is protected">
      <div className="grid gap-3">
        <Field
          id={fieldId('ssl_mode')}
          label="Mode"
          hint={modes.find((m) => m.value === mode)?.hint}
          error={form.errors.ssl_mode}
        >
          {(ids) => (
            <Select mono {...ids} value={mode} onChange={(ssl_mode) => form.change({ ssl_mode })} options={modes} />
          )}
        </Field>
        {!verifies && !local && (
          <Notice tone="warn">
            Somebody between the studio and {host.trim()} could pretend to be the server. Use verify-full when the
            server has a certificate.
          </Notice>
        )}
        {(verifies || form.values.ssl_root_cert !== '') && <Authority form={form} />}
      </div>
    </Card>
  );
}

function Authority({ form }: SectionProps) {
  const id = useId();
  const file = useRef<HTMLInputElement>(null);
  const { field, input } = textField({ form }, 'ssl_root_cert');
  const onFile = async (event: ChangeEvent<HTMLInputElement>) => {
    const [chosen] = event.target.files ?? [];
    if (chosen) form.change({ ssl_root_cert: await chosen.text() });
    event.target.value = '';
  };
  return (
    <div className="grid gap-2">
      <Field
        label="Certificates of the authority"
        required={false}
        hint="PEM. Trusted instead of the system's authorities. Leave it empty for a certificate of a public authority."
        {...field}
      >
        {(ids) => (
          <Textarea
            {...ids}
            {...input}
            rows={4}
            spellCheck={false}
            placeholder="-----BEGIN CERTIFICATE-----"
            className="font-mono text-label"
          />
        )}
      </Field>
      <div>
        <input
          ref={file}
          id={id}
          type="file"
          accept=".pem,.crt,.cer,application/x-pem-file"
          aria-label="Certificate file"
          tabIndex={-1}
          onChange={(e) => void onFile(e)}
          className="sr-only"
        />
        <Button size="sm" onClick={() => file.current?.click()}>
          Choose a file
        </Button>
      </div>
    </div>
  );
}
