import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Smartphone, X } from 'lucide-react';
import { accountQuery, deployStatusQuery } from '@/api/queries';
import { cx } from '@/lib/cx';
import { paths } from '@/lib/paths';
import { useStored } from '@/lib/use-stored';
import { iconButtonClass } from '@/ui/icon-button-class';
import { onlyIcons, type SidebarLook } from './sidebar-look';

interface Props {
  look: SidebarLook;
  onNavigate?: () => void;
}

/**
 * After the first deploy, while two-factor is off: a quiet offer at the foot of the sidebar, where its coming and
 * going moves nothing that is being read.
 */
export function TwoFactorOffer({ look, onNavigate }: Props) {
  const [answer, setAnswer] = useStored('two-factor-offer', '');
  const asked = answer === '';
  const deploy = useQuery({ ...deployStatusQuery, enabled: asked }).data;
  const deployed = deploy !== undefined && deploy.revision > 0;
  const account = useQuery({ ...accountQuery, enabled: asked && deployed, staleTime: 60_000 }).data;
  if (!asked || !deployed || !account || account.two_factor_enabled) return null;
  return (
    <section
      aria-label="Two-factor is off"
      className={cx(
        'shrink-0 p-2',
        onlyIcons(look, 'grid justify-items-center', 'max-xl:grid max-xl:justify-items-center'),
      )}
    >
      <div
        className={cx('rounded-md border border-line bg-surface px-3 py-2', onlyIcons(look, 'hidden', 'max-xl:hidden'))}
      >
        <div className="flex items-start gap-1">
          <p className="flex-1 text-label text-muted">A stolen password is enough to sign in here.</p>
          <button
            type="button"
            aria-label="Do not offer two-factor again"
            title="Do not offer it again"
            onClick={() => setAnswer('declined')}
            className={iconButtonClass('sm', '-mt-1.5 -mr-2')}
          >
            <X aria-hidden className="size-3.5" />
          </button>
        </div>
        <Link
          to={paths.account}
          hash="two-factor"
          onClick={onNavigate}
          className="inline-flex min-h-6 items-center rounded text-label font-medium text-link hover:underline"
        >
          Turn on two-factor
        </Link>
      </div>
      {look !== 'open' && (
        <Link
          to={paths.account}
          hash="two-factor"
          aria-label="Turn on two-factor"
          title="Turn on two-factor"
          className={iconButtonClass('md', look === 'auto' ? 'xl:hidden' : '')}
        >
          <Smartphone aria-hidden />
        </Link>
      )}
    </section>
  );
}
