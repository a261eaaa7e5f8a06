import { assertive, polite } from '@/lib/announce';
import { useStore } from '@/lib/store';

/** The only two live regions. The keyed text makes a repeated sentence a new one. */
export function LiveRegions() {
  const calm = useStore(polite);
  const urgent = useStore(assertive);
  return (
    <>
      <div aria-live="polite" className="sr-only">
        <span key={calm.turn}>{calm.text}</span>
      </div>
      <div aria-live="assertive" className="sr-only">
        <span key={urgent.turn}>{urgent.text}</span>
      </div>
    </>
  );
}
