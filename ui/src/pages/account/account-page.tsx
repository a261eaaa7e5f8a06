import { Page } from '@/components/page';
import { PreferencesCard } from './preferences-card';
import { SessionsCard } from './sessions-card';
import { SignInCard } from './sign-in-card';
import { TwoFactorCard } from './two-factor-card';

/** The one account there is: how it signs in, where it is signed in, and how this browser behaves. */
export default function AccountPage() {
  return (
    <Page title="Account" description="The admin of this server. There is one." width="form">
      <div className="grid grid-cols-1 gap-4">
        <SignInCard />
        <TwoFactorCard />
        <SessionsCard />
        <PreferencesCard />
      </div>
    </Page>
  );
}
