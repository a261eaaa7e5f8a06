import { Skeleton } from '@/ui/skeleton';

/** The shape of the builder while the tool is on its way. */
export function BuilderSkeleton() {
  return (
    <div className="flex flex-col md:h-[calc(100dvh-3rem)]">
      <div className="flex h-[3.3rem] items-center gap-3 border-b border-line px-4">
        <Skeleton className="h-5 w-44" />
        <Skeleton className="h-3 w-56 max-sm:hidden" />
        <Skeleton className="ml-auto h-8 w-24" />
      </div>
      <div className="grid min-h-0 flex-1 divide-x divide-line md:grid-cols-2 xl:grid-cols-[1.06fr_0.88fr_1.34fr]">
        {['max-md:block', 'max-md:hidden', 'max-xl:hidden'].map((shown) => (
          <div key={shown} className={shown}>
            <div className="flex h-10 items-center border-b border-line px-4">
              <Skeleton className="h-3.5 w-32" />
            </div>
            <div className="grid gap-3 p-4">
              <Skeleton className="h-3 w-3/4" />
              <Skeleton className="h-3 w-1/2" />
              <Skeleton className="h-3 w-2/3" />
              <Skeleton className="h-3 w-2/5" />
            </div>
          </div>
        ))}
      </div>
    </div>
  );
}
