import { useQuery } from '@tanstack/react-query';
import { Download, Eye, EyeOff, KeyRound } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { api, body } from '@/api/client';
import { describe, fieldErrors } from '@/api/errors';
import { useApiMutation } from '@/api/mutations';
import { allTokensQuery } from '@/api/queries';
import type { components } from '@/api/schema';
import { Button } from '@/ui/button';
import { CopyButton } from '@/ui/copy-button';
import { Field } from '@/ui/field';
import { Input } from '@/ui/input';
import { Notice } from '@/ui/notice';
import { tokenName } from './snippets';

type MintedToken = components['schemas']['MintedToken'];

interface Props {
  client: string;
  minted: MintedToken | undefined;
  onMinted: (token: MintedToken | undefined) => void;
}

/** Makes a token for the client, or shows the one that was just made. */
export function TokenBox({ client, minted, onMinted }: Props) {
  return minted ? (
    <Shown token={minted} onDone={() => onMinted(undefined)} />
  ) : (
    <Make client={client} onMinted={onMinted} />
  );
}

function Make({ client, onMinted }: { client: string; onMinted: (token: MintedToken) => void }) {
  const tokens = useQuery(allTokensQuery);
  const [typed, setTyped] = useState<string>();
  const suggested = tokenName(client, tokens.data?.items.map((t) => t.name) ?? []);
  const name = typed ?? suggested;
  const mint = useApiMutation(['mcp_token'], () => body(api.POST('/api/v1/mcp-tokens', { body: { name } })));
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    mint.mutate(undefined, { onSuccess: onMinted });
  };
  const errors = fieldErrors(mint.error);
  return (
    <form onSubmit={onSubmit} noValidate className="grid gap-2">
      <div className="flex flex-wrap items-end gap-2">
        <Field label="Token for this client" error={errors.name} className="min-w-0 flex-1 basis-56">
          {(ids) => (
            <Input
              {...ids}
              value={name}
              // From here on the name is the person's: a better suggestion that comes late does not change it under their hands.
              onFocus={() => setTyped(name)}
              onBlur={() => setTyped(name === suggested ? undefined : name)}
              onChange={(e) => setTyped(e.target.value)}
              autoComplete="off"
            />
          )}
        </Field>
        <Button type="submit" intent="primary" pending={mint.isPending}>
          <KeyRound aria-hidden />
          Create token
        </Button>
      </div>
      <p className="text-label text-muted">
        It sees every tool of the running revision. It is shown once; the snippet below is filled with it.
      </p>
      {mint.isError && !errors.name && (
        <div role="alert">
          <Notice tone="bad" title="The token was not created">
            {describe(mint.error).cause}
          </Notice>
        </div>
      )}
    </form>
  );
}

function Shown({ token, onDone }: { token: MintedToken; onDone: () => void }) {
  const [visible, setVisible] = useState(false);
  return (
    <section aria-label={`Token ${token.name}`} className="grid gap-2 rounded-md border border-ok/30 bg-ok-soft p-3">
      <p className="text-control font-medium">Token “{token.name}” is ready. You will not see it again.</p>
      <div className="flex flex-wrap items-center gap-2">
        <code className="min-w-0 flex-1 basis-56 rounded-md border border-line bg-surface px-2.5 py-1.5 font-mono text-label break-all">
          {visible ? token.token : `${token.prefix}${'•'.repeat(24)}`}
        </code>
        <Button size="sm" aria-pressed={visible} onClick={() => setVisible(!visible)}>
          {visible ? <EyeOff aria-hidden className="size-3.5" /> : <Eye aria-hidden className="size-3.5" />}
          {visible ? 'Hide' : 'Show'}
        </Button>
        <CopyButton text={token.token} label="Copy token" />
        <Button size="sm" onClick={() => download(token)}>
          <Download aria-hidden className="size-3.5" />
          .env
        </Button>
        <Button size="sm" intent="ghost" onClick={onDone}>
          I stored it
        </Button>
      </div>
    </section>
  );
}

function download(token: MintedToken): void {
  const url = URL.createObjectURL(new Blob([`STUDIO_MCP_TOKEN=${token.token}\n`], { type: 'text/plain' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = 'mcp-studio.env';
  link.click();
  URL.revokeObjectURL(url);
}
