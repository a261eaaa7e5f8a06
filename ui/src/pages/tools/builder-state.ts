import type { Base } from '@/editing/fields';
import type { Tool } from './api';
import { fromTool, type ParameterForm, sameTool, type ToolForm } from './form';
import { type Gone, mapOffset, type Reconciled, reconcile, type Used } from './reconcile';

export interface BuilderState extends Omit<Reconciled, 'parameters'> {
  form: ToolForm;
  base: Base<ToolForm>;
}

export type BuilderAction =
  | { type: 'edit'; patch: Partial<Omit<ToolForm, 'parameters'>> }
  | { type: 'parameter'; name: string; patch: Partial<ParameterForm> }
  | { type: 'test'; name: string; text: string }
  | { type: 'tests'; tests: Readonly<Record<string, string>> }
  | { type: 'analysed'; sql: string; used: readonly Used[] }
  /** Puts the placeholder of a vanished parameter back where it was. */
  | { type: 'restore'; name: string }
  /** Another form altogether: a restored draft, a merge, what somebody else saved. */
  | { type: 'replace'; form: ToolForm; base?: Base<ToolForm>; tests?: Readonly<Record<string, string>> }
  | { type: 'saved'; tool: Tool };

export function start(base: Base<ToolForm>): BuilderState {
  return { form: base.form, base, gone: [], tests: {}, renamed: {}, auto: [], seen: undefined };
}

export const baseOf = (tool: Tool): Base<ToolForm> => ({ version: tool.version, form: fromTool(tool) });

export const isDirty = (state: BuilderState): boolean => !sameTool(state.form, state.base.form);

export function reduce(state: BuilderState, action: BuilderAction): BuilderState {
  switch (action.type) {
    case 'edit':
      return { ...state, form: { ...state.form, ...action.patch } };
    case 'parameter':
      return changeParameter(state, action.name, action.patch);
    case 'test':
      return { ...state, tests: { ...state.tests, [action.name]: action.text } };
    case 'tests':
      return { ...state, tests: { ...action.tests, ...state.tests } };
    case 'analysed': {
      const { parameters, ...rest } = reconcile(
        { ...state, parameters: state.form.parameters },
        action.sql,
        action.used,
      );
      const form = parameters === state.form.parameters ? state.form : { ...state.form, parameters };
      return { ...state, ...rest, form };
    }
    case 'restore':
      return restore(
        state,
        state.gone.find((g) => g.parameter.name === action.name),
      );
    case 'replace':
      return { ...start(action.base ?? state.base), form: action.form, tests: action.tests ?? state.tests };
    case 'saved':
      return saved(state, action.tool);
  }
}

function changeParameter(state: BuilderState, name: string, patch: Partial<ParameterForm>): BuilderState {
  const parameters = state.form.parameters.map((p) => (p.name === name ? { ...p, ...patch } : p));
  const auto = patch.param_type === undefined ? state.auto : state.auto.filter((n) => n !== name);
  return { ...state, auto, form: { ...state.form, parameters } };
}

function restore(state: BuilderState, gone: Gone | undefined): BuilderState {
  if (!gone) return state;
  const sql = state.form.sql_query;
  const at = Math.min(mapOffset(state.seen?.sql ?? sql, sql, gone.offset), sql.length);
  // A colon that was left behind when the name was deleted is used again.
  const rest = sql[at] === ':' && !/^:[:\w]/.test(sql.slice(at)) ? sql.slice(at + 1) : sql.slice(at);
  return {
    ...state,
    form: {
      ...state.form,
      sql_query: `${sql.slice(0, at)}:${gone.parameter.name}${/^\w/.test(rest) ? ' ' : ''}${rest}`,
    },
  };
}

/**
 * Takes over what the server stored. What was typed while the request was under way stays, and is dirty against the
 * new base. Vanished parameters are gone for good now.
 */
function saved(state: BuilderState, tool: Tool): BuilderState {
  const base = baseOf(tool);
  const form = sameTool(state.form, base.form) ? base.form : state.form;
  return { ...state, base, form, gone: [], renamed: {} };
}
