import { ExternalLink } from 'lucide-react';
import type { components } from '@/api/schema';
import { buttonClass } from '@/ui/button';
import { CopyButton } from '@/ui/copy-button';
import { fillToken } from './snippets';

type Client = components['schemas']['Client'];

interface Props {
  client: Client;
  placeholder: string;
  /** Empty: the placeholder stays. */
  token: string;
}

export function SnippetList({ client, placeholder, token }: Props) {
  return (
    <>
      {client.snippets.map((s) => {
        const code = fillToken(s.code, placeholder, token);
        const unfilled = code.includes(placeholder);
        return (
          <section key={s.title} aria-label={s.title} className="grid min-w-0 gap-2">
            <div className="flex flex-wrap items-center gap-2">
              <h2 className="text-control font-medium">{s.title}</h2>
              <span className="ml-auto">
                <CopyButton
                  text={code}
                  label={unfilled ? 'Copy without a token' : 'Copy'}
                  intent={token ? 'primary' : undefined}
                />
              </span>
            </div>
            <section
              aria-label={`Snippet: ${s.title}`}
              tabIndex={0}
              className="focus-inset overflow-x-auto rounded-md border border-line bg-raised/50"
            >
              <pre className="px-3 py-2.5 font-mono text-label leading-[1.125rem] break-words whitespace-pre-wrap">
                <code>{code}</code>
              </pre>
            </section>
            {s.paths.length > 0 && (
              <dl className="grid gap-1 text-label text-muted">
                {s.paths.map((p) => (
                  <div key={p.os} className="flex flex-wrap gap-x-2">
                    <dt className="w-16 shrink-0">{p.os}</dt>
                    <dd className="min-w-0 font-mono break-all">{p.path}</dd>
                  </div>
                ))}
              </dl>
            )}
            {unfilled && (
              <p className="text-label">
                <code className="font-mono">{placeholder}</code> stands for the token: create one above, or put in one
                that you stored.
              </p>
            )}
            {s.note && <p className="text-label break-words text-muted">{fillToken(s.note, placeholder, token)}</p>}
          </section>
        );
      })}
      {client.deep_link && (
        <div>
          <a href={fillToken(client.deep_link, encodeURIComponent(placeholder), token)} className={buttonClass()}>
            <ExternalLink aria-hidden />
            Open in {client.name}
          </a>
        </div>
      )}
    </>
  );
}
