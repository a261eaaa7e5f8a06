import type { components } from '@/api/schema';

export type Encryption = components['schemas']['Encryption'];
export type EncryptionKey = components['schemas']['EncryptionKey'];

/** Whether some secret is not sealed with the current key. */
export const needsRotation = (encryption: Encryption): boolean =>
  encryption.keys.some((key) => !key.current && key.present && key.secrets > 0);
