import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { configQuery } from '@/api/queries';
import { Page } from '@/components/page';
import { QueryState } from '@/components/query-state';
import { paths } from '@/lib/paths';
import { Card } from '@/ui/card';
import { SkeletonRows } from '@/ui/skeleton';
import { Tabs } from '@/ui/tabs';
import { EncryptionSection } from './encryption-section';
import { GeneralForm } from './general-form';
import { VariablesForm } from './variables-form';

const titles: Readonly<Record<string, string>> = {
  general: 'Settings',
  variables: 'Variables · Settings',
  encryption: 'Encryption · Settings',
};

const route = getRouteApi(paths.settings);

export default function SettingsPage() {
  const { section } = route.useParams();
  const navigate = useNavigate();
  const config = useQuery(configQuery);
  return (
    <Page title="Settings" doc={titles[section] ?? 'Settings'} width="form">
      <QueryState
        query={config}
        what="settings"
        skeleton={
          <Card label="Settings" flush>
            <SkeletonRows rows={6} columns={2} />
          </Card>
        }
      >
        {(data) => (
          <Tabs
            label="Settings"
            value={section}
            onChange={(next) => void navigate({ to: paths.settings, params: { section: next } })}
            panelClass="pt-4"
            items={[
              { value: 'general', label: 'General', content: <GeneralForm config={data} /> },
              { value: 'variables', label: 'Variables', content: <VariablesForm config={data} /> },
              { value: 'encryption', label: 'Encryption', content: <EncryptionSection /> },
            ]}
          />
        )}
      </QueryState>
    </Page>
  );
}
