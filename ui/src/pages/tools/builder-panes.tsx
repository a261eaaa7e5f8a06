import { type ReactNode, useMemo } from 'react';
import { Panes } from '@/ui/panes';
import { Segmented } from '@/ui/segmented';
import type { Builder } from './builder';
import { ParametersPane } from './parameters-pane';
import { ResultPane } from './result-pane';
import { SqlPane } from './sql-pane';
import { useLayout } from './use-layout';

export type PaneKey = 'sql' | 'parameters' | 'result';

/** The pane a field of an error is in. */
export function paneOf(field: string): PaneKey {
  return ['sql_query', 'transform', 'parameters', 'connection_id'].includes(field) ? 'sql' : 'parameters';
}

const panes: readonly { value: PaneKey; label: string }[] = [
  { value: 'sql', label: 'SQL' },
  { value: 'parameters', label: 'Parameters' },
  { value: 'result', label: 'Result' },
];

interface Props {
  builder: Builder;
  /** The pane in front, where not all fit. */
  pane: PaneKey;
  onPane: (pane: PaneKey) => void;
}

/** Statement, parameters and result: side by side where there is room, else behind a switch. */
export function BuilderPanes({ builder, pane, onPane }: Props) {
  const layout = useLayout();
  const content: Readonly<Record<PaneKey, ReactNode>> = {
    sql: <SqlPane builder={builder} />,
    parameters: <ParametersPane builder={builder} />,
    result: <ResultPane builder={builder} />,
  };
  const beside = pane === 'sql' ? 'parameters' : pane;
  const right = useMemo(() => panes.filter((p) => p.value !== 'sql'), []);
  if (layout === 'three') {
    return (
      <Panes
        name="tool"
        className="flex-1"
        panes={[
          { key: 'sql', label: 'the statement', share: 1.06, min: 300, content: content.sql },
          { key: 'parameters', label: 'the parameters', share: 0.88, min: 280, content: content.parameters },
          { key: 'result', label: 'the result', share: 1.34, min: 320, content: content.result },
        ]}
      />
    );
  }
  if (layout === 'two') {
    return (
      <Panes
        name="tool-two"
        className="flex-1"
        panes={[
          { key: 'sql', label: 'the statement', share: 1, min: 280, content: content.sql },
          {
            key: 'right',
            label: 'the other pane',
            share: 1,
            min: 300,
            content: (
              <>
                <div className="border-b border-line px-4 py-1.5">
                  <Segmented
                    label="Pane beside the statement"
                    size="sm"
                    value={beside}
                    onChange={onPane}
                    options={right}
                  />
                </div>
                {content[beside]}
              </>
            ),
          },
        ]}
      />
    );
  }
  return (
    <>
      <div className="border-b border-line px-4 py-2">
        <Segmented label="Pane" value={pane} onChange={onPane} options={panes} />
      </div>
      <div className="flex min-h-[32rem] flex-1 flex-col">{content[pane]}</div>
    </>
  );
}
