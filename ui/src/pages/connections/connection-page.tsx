import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { Database } from 'lucide-react';
import { ApiError } from '@/api/errors';
import { connectionQuery } from '@/api/queries';
import { Page } from '@/components/page';
import { QueryState } from '@/components/query-state';
import { paths } from '@/lib/paths';
import { buttonClass } from '@/ui/button';
import { Card } from '@/ui/card';
import { EmptyState } from '@/ui/empty-state';
import { SkeletonRows } from '@/ui/skeleton';
import { Editor } from './editor';

/** /connections/new and /connections/$id. */
export default function ConnectionPage() {
  const { id } = useParams({ strict: false });
  // Another address is another form: nothing typed may wander over.
  return id === undefined ? <Editor key="new" /> : <Existing key={id} id={id} />;
}

function Existing({ id }: { id: string }) {
  const query = useQuery(connectionQuery(id));
  if (query.data) return <Editor connection={query.data} />;
  const missing = query.error instanceof ApiError && query.error.code === 'not_found';
  return (
    <Page title="Connection">
      {missing ? (
        <Card label="Not found">
          <EmptyState
            icon={<Database aria-hidden />}
            title="This connection does not exist"
            actions={
              <Link to={paths.connections} className={buttonClass('primary')}>
                Show all connections
              </Link>
            }
          >
            It was deleted, or the address is wrong.
          </EmptyState>
        </Card>
      ) : (
        <QueryState
          query={query}
          what="the connection"
          skeleton={
            <Card flush>
              <SkeletonRows rows={8} columns={2} />
            </Card>
          }
        >
          {() => null}
        </QueryState>
      )}
    </Page>
  );
}
