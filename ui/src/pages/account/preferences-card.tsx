import { setSingleKeys, singleKeys } from '@/app/use-keyboard';
import { useStore } from '@/lib/store';
import { setTheme, useTheme } from '@/lib/theme';
import { Card } from '@/ui/card';
import { Segmented } from '@/ui/segmented';
import { Switch } from '@/ui/switch';
import { SettingRow } from './setting-row';

const themes = [
  { value: 'system', label: 'System' },
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
] as const;

/** How this browser behaves; nothing of it is on the server. */
export function PreferencesCard() {
  const theme = useTheme();
  const keys = useStore(singleKeys);
  return (
    <Card title="Preferences" meta="of this browser" flush>
      <div className="divide-y divide-line">
        <SettingRow
          label="Theme"
          action={<Segmented label="Theme" value={theme} options={themes} onChange={setTheme} />}
        >
          System follows the computer, also when it changes in the evening.
        </SettingRow>
        <SettingRow
          label="Shortcuts of one key"
          action={<Switch label="Shortcuts of one key" checked={keys} onChange={setSingleKeys} />}
        >
          Such as g t for Tools. Switch them off when you dictate to this computer; shortcuts with Ctrl or Cmd stay.
        </SettingRow>
      </div>
    </Card>
  );
}
