import { CircleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { CopyIcon } from './copy-button';
import { EmptyState } from './empty-state';

interface Props {
  /** What failed: "Connections could not be loaded". */
  title: string;
  cause: string;
  next?: string;
  requestId?: string;
  /** Retry, and whatever else leads on. */
  actions: ReactNode;
}

/** A part of the page that could not be loaded; the rest keeps working. */
export function ErrorState({ title, cause, next, requestId, actions }: Props) {
  return (
    <div role="alert">
      <EmptyState icon={<CircleAlert aria-hidden className="text-bad" />} title={title} actions={actions}>
        <p className="break-words">
          {cause} {next}
        </p>
        {requestId && (
          <p className="mt-2 inline-flex items-center gap-1 font-mono text-label">
            request {requestId}
            <CopyIcon label="Copy request id" text={requestId} />
          </p>
        )}
      </EmptyState>
    </div>
  );
}
