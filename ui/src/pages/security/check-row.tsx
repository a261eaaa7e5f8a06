import { Link } from '@tanstack/react-router';
import { ChevronDown } from 'lucide-react';
import { type ReactNode, useId, useState } from 'react';
import { placeOf } from '@/app/nav';
import { cx } from '@/lib/cx';
import { buttonClass } from '@/ui/button';
import { iconButtonClass } from '@/ui/icon-button-class';
import { State } from '@/ui/state';
import { type CheckItem, checkStatuses } from './words';

/** One item: what was found, why it matters, how to mend it. What passed keeps the last two folded away. */
export function CheckRow({ item }: { item: CheckItem }) {
  const id = useId();
  const passed = item.status === 'ok';
  const [open, setOpen] = useState(!passed);
  const { word, kind } = checkStatuses[item.status];
  return (
    <li className="grid grid-cols-[minmax(0,1fr)_auto] gap-x-4 gap-y-1 px-4 py-2.5 sm:grid-cols-[6.5rem_minmax(0,1fr)_auto]">
      <State kind={kind} className="self-start">
        {word}
      </State>
      <div className="min-w-0 max-sm:col-span-2 max-sm:row-start-2">
        <h4 className="text-control font-medium">{item.title}</h4>
        <p className={cx('max-w-[100ch] text-control break-words', passed && 'text-muted')}>{item.found}</p>
      </div>
      <div className="-my-1 flex items-center gap-2 self-start">
        {item.link && !passed && <PlaceLink address={item.link} />}
        <button
          type="button"
          aria-expanded={open}
          aria-controls={open ? id : undefined}
          aria-label={`Details of ${item.title}`}
          onClick={() => setOpen(!open)}
          className={iconButtonClass('sm', '-mr-2')}
        >
          <ChevronDown aria-hidden className={cx('transition-transform duration-100', open && 'rotate-180')} />
        </button>
      </div>
      {open && (
        <div id={id} className="col-span-2 mt-1 grid gap-1.5 text-control sm:col-start-2">
          <dl className="grid gap-x-8 gap-y-2 lg:grid-cols-2">
            <Part name="Why it matters">{item.why}</Part>
            {item.mend && !passed && <Part name="How to mend it">{item.mend}</Part>}
          </dl>
          {item.doc && (
            <p className="text-label text-muted">
              More in <code className="font-mono">{item.doc}</code>
            </p>
          )}
        </div>
      )}
    </li>
  );
}

function Part({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="max-w-[68ch]">
      <dt className="text-label text-muted">{name}</dt>
      <dd className="break-words">{children}</dd>
    </div>
  );
}

/** The page where it is mended, by the name that page has. */
function PlaceLink({ address }: { address: string }) {
  const url = new URL(address, location.origin);
  if (url.origin !== location.origin) return null;
  return (
    <Link
      to={url.pathname}
      search={Object.fromEntries(url.searchParams)}
      hash={url.hash.slice(1)}
      className={buttonClass('outline', 'sm')}
    >
      Open {placeOf(address)?.label ?? 'the page'}
    </Link>
  );
}
