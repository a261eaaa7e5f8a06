import { type ReactNode, useEffect } from 'react';
import { cx } from '@/lib/cx';
import { createStore } from '@/lib/store';

/** What the page calls itself; the breadcrumb shows it for pages below a list. */
export const currentTitle = createStore('');

interface TitleProps {
  children: ReactNode;
  /** The browser tab: "<thing> · <page>". */
  doc: string;
  /** The thing alone, for the breadcrumb. */
  crumb?: string;
  mono?: boolean;
}

/**
 * The one h1 of a route. Every page renders it in every state, also while loading: the shell moves the focus
 * to it after navigation.
 */
export function PageTitle({ children, doc, crumb, mono }: TitleProps) {
  useEffect(() => {
    document.title = `${doc} · Studio`;
    currentTitle.set(crumb ?? '');
  }, [doc, crumb]);
  return (
    <h1
      tabIndex={-1}
      className={cx(
        'text-title font-semibold tracking-[-0.01em] break-words outline-none',
        mono && 'font-mono text-[1.0625rem] tracking-normal',
      )}
    >
      {children}
    </h1>
  );
}

interface Props {
  title: string;
  doc?: string;
  description?: ReactNode;
  actions?: ReactNode;
  /** Forms and texts are narrower than tables. */
  width?: 'full' | 'form';
  children: ReactNode;
}

export function Page({ title, doc, description, actions, width = 'full', children }: Props) {
  return (
    <div className={cx('mx-auto w-full px-4 py-5 sm:px-6', width === 'full' ? 'max-w-[1440px]' : 'max-w-[768px]')}>
      <header className="mb-4 flex flex-wrap items-start gap-x-4 gap-y-3">
        <div className="min-w-0 flex-1 basis-60">
          <PageTitle doc={doc ?? title} crumb={title}>
            {title}
          </PageTitle>
          {description && <p className="mt-0.5 max-w-[68ch] text-control text-muted">{description}</p>}
        </div>
        {actions && <div className="flex flex-wrap items-center gap-2 max-sm:w-full">{actions}</div>}
      </header>
      {children}
    </div>
  );
}
