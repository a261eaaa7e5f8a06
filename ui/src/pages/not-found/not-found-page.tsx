import { Link } from '@tanstack/react-router';
import { Compass } from 'lucide-react';
import { Page } from '@/components/page';
import { paths } from '@/lib/paths';
import { buttonClass } from '@/ui/button';
import { EmptyState } from '@/ui/empty-state';

export default function NotFoundPage() {
  return (
    <Page title="Page not found">
      <EmptyState
        icon={<Compass aria-hidden />}
        title="There is nothing at this address"
        actions={
          <Link to={paths.home} className={buttonClass('primary')}>
            Open Home
          </Link>
        }
      >
        It may have been removed, or the link is from another version. Search finds every page and every tool.
      </EmptyState>
    </Page>
  );
}
