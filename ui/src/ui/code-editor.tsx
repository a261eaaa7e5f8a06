import { lazy, Suspense } from 'react';
import { cx } from '@/lib/cx';
import type { EditorProps } from './editor/editor';
import { Skeleton } from './skeleton';

const load = () => import('./editor/editor');
const Editor = lazy(() => load().then((m) => ({ default: m.Editor })));

/** Starts loading the editor before it is shown: on hover of a link that leads to one. */
export function preloadEditor(): void {
  void load();
}

/** The code editor, loaded when first shown. Give it a height: the skeleton takes the same. */
export function CodeEditor(props: EditorProps) {
  return (
    <Suspense
      fallback={
        <div aria-busy="true" className={cx('grid content-start gap-2.5 py-3 pl-12', props.className)}>
          <Skeleton className="h-3 w-2/3" />
          <Skeleton className="h-3 w-1/2" />
          <Skeleton className="h-3 w-3/5" />
        </div>
      }
    >
      <Editor {...props} />
    </Suspense>
  );
}
