import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { Page } from '@/components/page';
import { paths } from '@/lib/paths';
import { Tabs } from '@/ui/tabs';
import { ChecklistTab } from './checklist-tab';
import { SandboxTab } from './sandbox-tab';

const route = getRouteApi(paths.security);

export default function SecurityPage() {
  const { tab = 'checklist' } = route.useSearch();
  const navigate = useNavigate();
  return (
    <Page
      title="Security"
      doc={tab === 'sandbox' ? 'Sandbox · Security' : 'Security'}
      description={
        <>
          What protects this server now. <code className="font-mono text-label">studio doctor</code> says the same in a
          terminal.
        </>
      }
    >
      <Tabs
        label="Security"
        value={tab}
        onChange={(next) =>
          void navigate({ to: paths.security, search: { tab: next === 'checklist' ? undefined : next } })
        }
        panelClass="pt-4"
        items={[
          { value: 'checklist', label: 'Checklist', content: <ChecklistTab /> },
          { value: 'sandbox', label: 'Sandbox', content: <SandboxTab /> },
        ]}
      />
    </Page>
  );
}
