import { useNavigate, useSearch } from '@tanstack/react-router';
import { type TabItem, Tabs } from '@/ui/tabs';
import type { Builder } from './builder';
import { ClientTab } from './client-tab';
import { DefinitionTab } from './definition-tab';
import { HistoryTab } from './history-tab';
import { PreviewTab } from './preview-tab';
import { RawTab } from './raw-tab';
import { type ResultTab, resultTabs } from './search';

/** What the tool gives, as people, clients and models see it. */
export function ResultPane({ builder }: { builder: Builder }) {
  const search = useSearch({ strict: false });
  const tab = resultTabs.find((t) => t === search.tab) ?? 'preview';
  const navigate = useNavigate();
  const choose = (next: ResultTab) =>
    void navigate({ to: '.', search: { ...search, tab: next === 'preview' ? undefined : next }, replace: true });
  const items: TabItem<ResultTab>[] = [
    { value: 'preview', label: 'Preview', content: <PreviewTab builder={builder} /> },
    { value: 'raw', label: 'Raw / transformed', content: <RawTab builder={builder} /> },
    { value: 'client', label: 'As the client sees it', content: <ClientTab builder={builder} /> },
    { value: 'definition', label: 'Definition', content: <DefinitionTab builder={builder} /> },
    { value: 'history', label: 'History', content: <HistoryTab builder={builder} /> },
  ];
  return (
    <section aria-label="Result" className="flex min-h-0 min-w-0 flex-1 flex-col bg-surface">
      <h2 className="sr-only">Result</h2>
      <Tabs
        label="Result"
        value={tab}
        onChange={choose}
        className="flex-1"
        listClass="pl-4 pr-2"
        panelClass="flex flex-1 flex-col"
        items={items}
      />
    </section>
  );
}
