import { equal } from '@/editing/equal';
import type { Annotations, Parameter, ParamType, Tool, ToolDraft } from './api';
import { listOf, parsedValue, textOf, textOfList } from './values';

/** A parameter as its fields show it: values are text until they are sent. */
export interface ParameterForm {
  name: string;
  param_type: ParamType;
  item_type: ParamType;
  description: string;
  is_required: boolean;
  default_value: string;
  enum_values: string;
  minimum: string;
  maximum: string;
  pattern: string;
}

export interface ToolForm {
  connection_id: string;
  name: string;
  title: string;
  description: string;
  sql_query: string;
  parameters: readonly ParameterForm[];
  transform: string;
  tags: string;
  annotations: Annotations;
  /** Seconds; text because it is typed. */
  cache_ttl: string;
  is_enabled: boolean;
  /** Not edited here and sent back as they came. */
  content: Tool['content'];
  input_schema: unknown;
  output_schema: unknown;
}

export const readOnlyAnnotations: Annotations = {
  read_only: true,
  destructive: false,
  idempotent: false,
  open_world: false,
};

export function blankForm(connectionId = ''): ToolForm {
  return {
    connection_id: connectionId,
    name: '',
    title: '',
    description: '',
    sql_query: '',
    parameters: [],
    transform: '',
    tags: '',
    annotations: readOnlyAnnotations,
    cache_ttl: '0',
    is_enabled: true,
    content: {},
    input_schema: undefined,
    output_schema: undefined,
  };
}

export function blankParameter(name: string, type: ParamType = 'string'): ParameterForm {
  return {
    name,
    param_type: type,
    item_type: 'string',
    description: '',
    is_required: true,
    default_value: '',
    enum_values: '',
    minimum: '',
    maximum: '',
    pattern: '',
  };
}

function fromParameter(p: Parameter): ParameterForm {
  return {
    name: p.name,
    param_type: p.param_type,
    item_type: p.item_type || 'string',
    description: p.description,
    is_required: p.is_required,
    default_value: textOf(p.default_value),
    enum_values: textOfList(p.enum_values ?? []),
    minimum: textOf(p.minimum),
    maximum: textOf(p.maximum),
    pattern: p.pattern ?? '',
  };
}

export function fromTool(tool: Tool): ToolForm {
  return {
    connection_id: tool.connection_id,
    name: tool.name,
    title: tool.title,
    description: tool.description,
    sql_query: tool.sql_query,
    parameters: [...tool.parameters].sort((a, b) => a.sort_order - b.sort_order).map(fromParameter),
    transform: tool.transform,
    tags: tool.tags.join(', '),
    annotations: tool.annotations,
    cache_ttl: String(tool.cache_ttl),
    is_enabled: tool.is_enabled,
    content: tool.content,
    input_schema: tool.input_schema,
    output_schema: tool.output_schema,
  };
}

/** Text of a number field; NaN marks what is no number, undefined nothing. */
function bound(text: string): number | undefined {
  const trimmed = text.trim();
  return trimmed === '' ? undefined : Number(trimmed);
}

const numeric = (type: ParamType): boolean => type === 'integer' || type === 'number';

function toParameter(p: ParameterForm, order: number): Parameter {
  const array = p.param_type === 'array';
  const values = listOf(p.enum_values, array ? p.item_type : p.param_type);
  const fallback = parsedValue(p.default_value, p.param_type, p.item_type);
  const low = numeric(p.param_type) ? bound(p.minimum) : undefined;
  const high = numeric(p.param_type) ? bound(p.maximum) : undefined;
  return {
    name: p.name,
    param_type: p.param_type,
    description: p.description.trim(),
    is_required: p.is_required,
    sort_order: order,
    // What does not belong to the type is kept in its field, for a change of mind, but never sent.
    ...(array && { item_type: p.item_type }),
    ...(fallback !== undefined && { default_value: fallback }),
    ...(values.length > 0 && !array && { enum_values: values }),
    ...(low !== undefined && { minimum: low }),
    ...(high !== undefined && { maximum: high }),
    ...(p.pattern !== '' && p.param_type === 'string' && { pattern: p.pattern }),
  };
}

/** What is sent when the form is saved, previewed or defined. */
export function toDraft(form: ToolForm): ToolDraft {
  return {
    connection_id: form.connection_id,
    name: form.name.trim(),
    title: form.title.trim(),
    description: form.description.trim(),
    sql_query: form.sql_query,
    parameters: form.parameters.map(toParameter),
    transform: form.transform.trim() === '' ? '' : form.transform,
    tags: tagsOf(form.tags),
    annotations: form.annotations,
    cache_ttl: bound(form.cache_ttl) ?? 0,
    is_enabled: form.is_enabled,
    content: form.content,
    ...(form.input_schema != null && { input_schema: form.input_schema }),
    ...(form.output_schema != null && { output_schema: form.output_schema }),
  };
}

export function tagsOf(text: string): string[] {
  const tags = text.split(',').map((tag) => tag.trim());
  return [...new Set(tags.filter((tag) => tag !== ''))];
}

/** Mistakes that cannot be sent as JSON at all, by field; everything else is judged by the server. */
export function unsendable(draft: ToolDraft): Record<string, string> {
  const errors: Record<string, string> = {};
  if (!Number.isInteger(draft.cache_ttl)) errors.cache_ttl = 'Write a whole number of seconds.';
  for (const [n, p] of (draft.parameters ?? []).entries()) {
    if (Number.isNaN(p.minimum)) errors[`parameters.${n}.minimum`] = 'Write a number.';
    if (Number.isNaN(p.maximum)) errors[`parameters.${n}.maximum`] = 'Write a number.';
  }
  return errors;
}

/** Whether two forms would save the same: only that makes a page dirty, not that a field was touched. */
export function sameTool(a: ToolForm, b: ToolForm): boolean {
  return a === b || equal(toDraft(a), toDraft(b));
}

/** The fields of `now` that differ from `before`: a patch that leaves alone what was not changed. */
export function changedFields(before: ToolDraft, now: ToolDraft): Partial<ToolDraft> {
  const patch: Partial<ToolDraft> = { ...now };
  for (const key of Object.keys(now) as (keyof ToolDraft)[]) {
    if (equal(before[key], now[key])) delete patch[key];
  }
  return patch;
}

/** The preview's arguments: what was typed, absent where nothing was. */
export function argumentsOf(
  parameters: readonly ParameterForm[],
  tests: Readonly<Record<string, string>>,
): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const p of parameters) {
    const value = parsedValue(tests[p.name] ?? '', p.param_type, p.item_type);
    if (value !== undefined) out[p.name] = value;
  }
  return out;
}
