import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { accountQuery } from '@/api/queries';
import { QueryState } from '@/components/query-state';
import { Time } from '@/components/time';
import { Button } from '@/ui/button';
import { Card } from '@/ui/card';
import { NameDialog } from './name-dialog';
import { PasswordDialog } from './password-dialog';
import { SettingRow, SettingRowsSkeleton } from './setting-row';

/** What the admin signs in with. */
export function SignInCard() {
  const account = useQuery(accountQuery);
  const [open, setOpen] = useState<'name' | 'password'>();
  const close = () => setOpen(undefined);
  return (
    <Card title="Name and password" id="password" flush>
      <QueryState query={account} what="the account" skeleton={<SettingRowsSkeleton rows={2} />}>
        {(data) => (
          <div className="divide-y divide-line">
            <SettingRow label="Name" action={<Button onClick={() => setOpen('name')}>Change name</Button>}>
              {data.username}
            </SettingRow>
            <SettingRow label="Password" action={<Button onClick={() => setOpen('password')}>Change password</Button>}>
              Set <Time at={data.password_changed_at} />
            </SettingRow>
            {open === 'name' && <NameDialog account={data} onClose={close} />}
            {open === 'password' && <PasswordDialog account={data} onClose={close} />}
          </div>
        )}
      </QueryState>
    </Card>
  );
}
