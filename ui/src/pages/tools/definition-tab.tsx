import { LoadError } from '@/components/load-error';
import { formatBytes, formatCount } from '@/lib/format';
import { Chip } from '@/ui/chip';
import { CopyIcon } from '@/ui/copy-button';
import { Skeleton } from '@/ui/skeleton';
import type { Builder } from './builder';
import { JsonView, sizeOf } from './json-view';
import { ResultBar } from './result-bar';

/** The exact tools/list entry, as the form would make it now. */
export function DefinitionTab({ builder }: { builder: Builder }) {
  const { definition, definitionError, retryDefinition } = builder.judgement;
  if (!definition) {
    if (definitionError != null) {
      return <LoadError title="The definition could not be made" error={definitionError} onRetry={retryDefinition} />;
    }
    return (
      <div aria-busy="true" className="grid gap-2.5 p-4">
        <Skeleton className="h-3 w-2/3" />
        <Skeleton className="h-3 w-1/2" />
        <Skeleton className="h-3 w-3/5" />
      </div>
    );
  }
  const value = definition.definition;
  return (
    <>
      <ResultBar actions={<CopyIcon label="Copy definition" text={JSON.stringify(value, null, 2)} />}>
        <Chip tone="info">{`≈ ${formatCount(definition.tokens)} tokens`}</Chip>
        <span>{`${formatBytes(sizeOf(value))} · tools/list entry`}</span>
      </ResultBar>
      <JsonView value={value} label="Tool definition" />
    </>
  );
}
