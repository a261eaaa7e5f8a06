import { formatCount } from '@/lib/format';
import { State } from '@/ui/state';
import { Table, Td, Th, Tr } from '@/ui/table';
import type { EncryptionKey } from './encryption';

/** Each key by its fingerprint, and how many secrets it seals. */
export function EncryptionKeys({ keys }: { keys: readonly EncryptionKey[] }) {
  return (
    <Table label="Encryption keys">
      <thead>
        <tr>
          <Th>Fingerprint</Th>
          <Th>State</Th>
          <Th num>Secrets</Th>
        </tr>
      </thead>
      <tbody>
        {keys.map((key) => (
          <Tr key={key.id || 'damaged'}>
            <Td className="font-mono text-label">{key.id || 'damaged'}</Td>
            <Td>
              <KeyState encryptionKey={key} />
            </Td>
            <Td num>{formatCount(key.secrets)}</Td>
          </Tr>
        ))}
      </tbody>
    </Table>
  );
}

function KeyState({ encryptionKey: key }: { encryptionKey: EncryptionKey }) {
  if (!key.present) return <State kind="error">Missing</State>;
  return key.current ? <State kind="live">Seals and opens</State> : <State kind="draft">Only opens</State>;
}
