import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { encryptionQuery } from '@/api/queries';
import { QueryState } from '@/components/query-state';
import { Time } from '@/components/time';
import { plural } from '@/lib/format';
import { shellQuote } from '@/lib/shell-quote';
import { Button } from '@/ui/button';
import { Card } from '@/ui/card';
import { Command } from '@/ui/command';
import { Notice } from '@/ui/notice';
import { SkeletonRows } from '@/ui/skeleton';
import { type Encryption, needsRotation } from './encryption';
import { EncryptionKeys } from './encryption-keys';
import { EncryptionRotateDialog } from './encryption-rotate-dialog';

/** Where the key is that seals every stored secret, how many secrets each key seals, and the way to change it. */
export function EncryptionSection() {
  const encryption = useQuery(encryptionQuery);
  return (
    <QueryState
      query={encryption}
      what="the encryption keys"
      skeleton={
        <Card title="Encryption key" flush>
          <SkeletonRows rows={5} columns={2} />
        </Card>
      }
    >
      {(data) => <Section encryption={data} />}
    </QueryState>
  );
}

function Section({ encryption }: { encryption: Encryption }) {
  const [rotating, setRotating] = useState(false);
  const [result, setResult] = useState<Encryption>();
  const fromFile = encryption.source === 'file';
  const lost = encryption.keys.filter((key) => !key.present).reduce((sum, key) => sum + key.secrets, 0);
  return (
    <div className="grid grid-cols-1 gap-4">
      {result && <Rotated encryption={result} />}
      <Card title="Encryption key" flush>
        <div className="divide-y divide-line">
          <Part title="Source">
            {fromFile ? (
              <>
                <p className="text-muted">A file on the server. It is never sent to a browser.</p>
                {encryption.path && <Command text={encryption.path} />}
              </>
            ) : (
              <p className="text-muted">
                The environment: <code className="font-mono text-label">STUDIO_ENCRYPTION_KEY</code>. The first key in
                it seals, the others only open.
              </p>
            )}
          </Part>
          {fromFile && encryption.path && (
            <Part title="Keep a copy, apart from the backup of the data">
              <Command text={`cp ${shellQuote(encryption.path)} /path/to/a/safe/place/`} />
              <p className="text-label text-muted">Without it every database password has to be entered again.</p>
            </Part>
          )}
          <Part title="Last rotated">
            <p className="text-muted">
              {encryption.last_rotated_at ? <Time at={encryption.last_rotated_at} look="moment" /> : 'Never'}
            </p>
          </Part>
        </div>
      </Card>
      <Card title="Keys" meta={`${plural(encryption.total, 'sealed secret')}`} flush>
        <EncryptionKeys keys={encryption.keys} />
        {lost > 0 && (
          <Notice tone="bad" className="m-3" title={`${plural(lost, 'secret')} cannot be opened`}>
            The key that sealed them is not among those given. Start the server with it as a further key of
            STUDIO_ENCRYPTION_KEY, or enter these secrets again.
          </Notice>
        )}
        <div className="flex flex-wrap items-center gap-x-4 gap-y-2 border-t border-line px-4 py-3">
          <p className="min-w-0 flex-1 basis-64 text-control text-muted">{rotationText(encryption)}</p>
          {(fromFile || needsRotation(encryption)) && (
            <Button onClick={() => setRotating(true)}>{fromFile ? 'Rotate key' : 'Seal with the first key'}</Button>
          )}
        </div>
      </Card>
      {rotating && (
        <EncryptionRotateDialog
          encryption={encryption}
          onClose={() => setRotating(false)}
          onDone={(after) => {
            setResult(after);
            setRotating(false);
          }}
        />
      )}
    </div>
  );
}

function rotationText(encryption: Encryption): string {
  if (encryption.source === 'file') return 'Rotating makes a new key and seals every secret with it.';
  if (needsRotation(encryption)) return 'Some secrets are sealed with an older key.';
  return 'To rotate, start the server with STUDIO_ENCRYPTION_KEY="new,old", then seal with the first key here.';
}

/** What is left to do after a rotation is more important than that it worked. */
function Rotated({ encryption }: { encryption: Encryption }) {
  const sealed = encryption.keys.find((key) => key.current)?.secrets ?? 0;
  return (
    <div role="status">
      <Notice tone="ok" title={`${plural(sealed, 'secret')} sealed with the current key`}>
        {encryption.source === 'file' ? (
          <>
            <p>The key file has changed: copy it to the safe place again.</p>
            {encryption.path && (
              <div className="mt-1.5">
                <Command text={`cp ${shellQuote(encryption.path)} /path/to/a/safe/place/`} />
              </div>
            )}
          </>
        ) : (
          <p>The older keys can be removed from STUDIO_ENCRYPTION_KEY. Backups made before open only with them.</p>
        )}
      </Notice>
    </div>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="grid grid-cols-1 gap-1.5 px-4 py-3 text-control">
      <p className="font-medium">{title}</p>
      {children}
    </div>
  );
}
