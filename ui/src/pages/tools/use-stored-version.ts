import { type Dispatch, useEffect } from 'react';
import { announce } from '@/lib/announce';
import type { Tool } from './api';
import { type BuilderAction, type BuilderState, baseOf, isDirty } from './builder-state';
import { sameTool } from './form';

/**
 * Follows what is stored while the page is open. A newer version is taken over at once when nothing would be lost;
 * otherwise it is given back, to be reviewed.
 */
export function useStoredVersion(
  tool: Tool | undefined,
  state: BuilderState,
  dispatch: Dispatch<BuilderAction>,
  saving: boolean,
): Tool | undefined {
  // The answer of one's own save arrives in the cache a moment before the form knows of it.
  const newer = tool && tool.version > state.base.version && !saving ? tool : undefined;
  const lossless = newer !== undefined && (!isDirty(state) || sameTool(state.form, baseOf(newer).form));
  useEffect(() => {
    if (!newer || !lossless) return;
    const base = baseOf(newer);
    dispatch({ type: 'replace', form: base.form, base });
    announce(`The tool was changed elsewhere. Version ${newer.version} is shown.`);
  }, [newer, lossless, dispatch]);
  return lossless ? undefined : newer;
}
