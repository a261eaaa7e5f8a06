import { formatBytes, formatCount } from '@/lib/format';
import { Chip } from '@/ui/chip';
import { CopyIcon } from '@/ui/copy-button';
import type { Builder } from './builder';
import { JsonView, sizeOf, tokensOf } from './json-view';
import { NeedsPreview } from './needs-preview';
import { ResultBar } from './result-bar';

/** The exact result of tools/call that a client receives for the test values. */
export function ClientTab({ builder }: { builder: Builder }) {
  const { result } = builder.preview;
  if (!result) return <NeedsPreview builder={builder} />;
  const value = result.client_result;
  return (
    <>
      <ResultBar actions={<CopyIcon label="Copy response" text={JSON.stringify(value, null, 2)} />}>
        <Chip tone="info">{`≈ ${formatCount(tokensOf(value))} tokens`}</Chip>
        <span>{`${formatBytes(sizeOf(value))} · tools/call result`}</span>
      </ResultBar>
      <JsonView value={value} label="Response as the client receives it" />
    </>
  );
}
