import { formatBytes, plural } from '@/lib/format';
import { CopyIcon } from '@/ui/copy-button';
import { Notice } from '@/ui/notice';
import type { Builder } from './builder';
import { JsonView, sizeOf } from './json-view';
import { NeedsPreview } from './needs-preview';
import { ResultBar } from './result-bar';

/** The rows as the transform gets them, and what it makes of them. */
export function RawTab({ builder }: { builder: Builder }) {
  const { result, input } = builder.preview;
  if (!result) return <NeedsPreview builder={builder} />;
  const transformed = (input?.transform ?? '') !== '';
  return (
    <div className="grid min-h-0 flex-1 grid-rows-2 divide-y divide-line @container">
      <div className="flex min-h-0 flex-col">
        <ResultBar actions={<CopyIcon label="Copy raw rows" text={JSON.stringify(result.rows, null, 2)} />}>
          <span>
            <b className="font-semibold text-fg">Raw</b>
            {` · ${plural(result.row_count, 'row')} · ${formatBytes(sizeOf(result.rows))}`}
          </span>
        </ResultBar>
        <JsonView value={result.rows} label="Raw rows" />
      </div>
      <div className="flex min-h-0 flex-col">
        <ResultBar
          actions={
            transformed &&
            !result.transform_error && (
              <CopyIcon label="Copy transformed result" text={JSON.stringify(result.transformed, null, 2)} />
            )
          }
        >
          <b className="font-semibold text-fg">Transformed</b>
          {transformed && !result.transform_error && <span>{`· ${formatBytes(sizeOf(result.transformed))}`}</span>}
        </ResultBar>
        {result.transform_error ? (
          <Notice tone="bad" title="The transform failed" className="m-3">
            <p className="break-words">{result.transform_error}</p>
          </Notice>
        ) : transformed ? (
          <JsonView value={result.transformed} label="Transformed result" />
        ) : (
          <p className="px-4 py-3 text-control text-muted">
            There is no transform. Clients get the rows with their number and whether they were cut.
          </p>
        )}
      </div>
    </div>
  );
}
