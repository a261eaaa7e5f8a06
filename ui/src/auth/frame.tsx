import { type ReactNode, useEffect, useRef } from 'react';
import { Logo } from '@/ui/logo';

interface Props {
  title: string;
  lead: ReactNode;
  /** "Step 2 of 3". */
  step?: string;
  wide?: boolean;
  children: ReactNode;
  foot?: ReactNode;
}

/** The pages without a shell. They begin at a fixed height, so that a message does not move what is above it. The heading takes the focus when the step changes, unless a field asks for it. */
export function Frame({ title, lead, step, wide, children, foot }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  const first = useRef(true);
  useEffect(() => {
    document.title = `${title} · Studio`;
    if (!first.current && document.activeElement === document.body) heading.current?.focus();
    first.current = false;
  }, [title]);
  return (
    <main className="grid min-h-dvh grid-rows-[minmax(1rem,16vh)_auto_1fr_auto] justify-items-center px-4">
      <div className={`row-start-2 w-full py-6 ${wide ? 'max-w-160' : 'max-w-90'}`}>
        <div className="mb-6 flex items-center gap-2.5">
          <Logo size={28} />
          <span className="text-section font-semibold tracking-[-0.01em]">Studio</span>
          {step && <span className="ml-auto text-label text-muted tabular-nums">{step}</span>}
        </div>
        <h1 ref={heading} tabIndex={-1} className="text-title font-semibold tracking-[-0.01em] outline-none">
          {title}
        </h1>
        <p className="mt-1 mb-5 text-control text-muted">{lead}</p>
        {children}
      </div>
      {foot && <footer className="row-start-4 py-6 text-label text-muted">{foot}</footer>}
    </main>
  );
}
