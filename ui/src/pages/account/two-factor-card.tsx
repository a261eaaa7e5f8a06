import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { TwoFactorStatus } from '@/api/account';
import { twoFactorQuery } from '@/api/queries';
import { QueryState } from '@/components/query-state';
import { Time } from '@/components/time';
import { plural } from '@/lib/format';
import { Button } from '@/ui/button';
import { Card } from '@/ui/card';
import { Notice } from '@/ui/notice';
import { State } from '@/ui/state';
import { DisableDialog } from './disable-dialog';
import { EnableDialog } from './enable-dialog';
import { RenewCodesDialog } from './renew-codes-dialog';
import { SettingRow, SettingRowsSkeleton } from './setting-row';

type Layer = 'enable' | 'renew' | 'disable';

/** With so few codes left it is time for new ones. */
const few = 3;

/** The second factor: codes of an app, and recovery codes for the day the phone is gone. */
export function TwoFactorCard() {
  const status = useQuery(twoFactorQuery);
  const [layer, setLayer] = useState<Layer>();
  const close = () => {
    setLayer(undefined);
    setTimeout(keepFocus);
  };
  return (
    <Card title="Two-factor" id="two-factor" flush>
      <QueryState query={status} what="two-factor" skeleton={<SettingRowsSkeleton rows={1} />}>
        {(data) => (data.enabled ? <On status={data} onOpen={setLayer} /> : <Off onOpen={setLayer} />)}
      </QueryState>
      {layer === 'enable' && <EnableDialog onClose={close} />}
      {layer === 'renew' && <RenewCodesDialog onClose={close} />}
      {layer === 'disable' && <DisableDialog onClose={close} />}
    </Card>
  );
}

/** The button that opened a layer can be gone when the layer closes: the one in its place takes the focus. */
function keepFocus(): void {
  if (document.activeElement === document.body) document.querySelector<HTMLElement>('#two-factor button')?.focus();
}

function Off({ onOpen }: { onOpen: (layer: Layer) => void }) {
  return (
    <SettingRow
      label="Off"
      action={
        <Button intent="primary" onClick={() => onOpen('enable')}>
          Turn on two-factor
        </Button>
      }
    >
      A stolen password is enough to sign in. With two-factor it also takes a code of an app on your phone.
    </SettingRow>
  );
}

function On({ status, onOpen }: { status: TwoFactorStatus; onOpen: (layer: Layer) => void }) {
  const left = status.recovery_codes_left;
  return (
    <div className="divide-y divide-line">
      <SettingRow label="Authenticator app" action={<Button onClick={() => onOpen('disable')}>Turn off</Button>}>
        <span className="flex flex-wrap items-center gap-x-2">
          <State kind="live">On</State>
          {status.enabled_at && (
            <span>
              since <Time at={status.enabled_at} look="moment" />
            </span>
          )}
        </span>
      </SettingRow>
      <SettingRow label="Recovery codes" action={<Button onClick={() => onOpen('renew')}>Make new codes</Button>}>
        {plural(left, 'code')} of 10 left, each works once instead of the app.
        {left <= few && (
          <Notice tone="warn" className="mt-2">
            {left === 0 ? 'Without the app nobody could sign in any more.' : 'Make new ones before they run out.'}
          </Notice>
        )}
      </SettingRow>
    </div>
  );
}
