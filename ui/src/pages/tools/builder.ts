import type { Dispatch } from 'react';
import type { FieldTable } from '@/editing/fields';
import type { Connection } from './api';
import type { BuilderAction, BuilderState } from './builder-state';
import type { FieldMessages } from './errors';
import type { ToolForm } from './form';
import type { Judgement } from './use-analysis';
import type { PreviewRun } from './use-preview';

/** Everything the panes of the builder share. */
export interface Builder {
  /** Undefined for a tool that was never saved. */
  id: string | undefined;
  state: BuilderState;
  dispatch: Dispatch<BuilderAction>;
  fields: FieldTable<ToolForm>;
  judgement: Judgement;
  preview: PreviewRun;
  errors: FieldMessages;
  connections: readonly Connection[];
  connection: Connection | undefined;
  run: () => void;
  save: () => void;
}
