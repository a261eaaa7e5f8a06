import { equal } from './equal';
import { type FlatTool, flatten, hints, labelOf, parameterKey } from './fields';
import type { ToolForm } from './form';

export type Side = 'mine' | 'theirs';

export interface MergeField {
  key: string;
  label: string;
  base: unknown;
  mine: unknown;
  theirs: unknown;
  /** Who changed it since the version both started from. "both" needs a decision. */
  changed: Side | 'both';
}

/**
 * The fields in which two people's versions of one tool differ. What both changed in the same way is no difference;
 * what only one changed has its answer already.
 */
export function mergeFields(base: ToolForm, mine: ToolForm, theirs: ToolForm): MergeField[] {
  const [b, m, t] = [flatten(base), flatten(mine), flatten(theirs)];
  return [...new Set([...m.keys(), ...t.keys()])]
    .filter((key) => !equal(m.get(key), t.get(key)))
    .map((key) => ({
      key,
      label: labelOf(key),
      base: b.get(key),
      mine: m.get(key),
      theirs: t.get(key),
      changed: changedBy(b, m, t, key),
    }));
}

function changedBy(base: FlatTool, mine: FlatTool, theirs: FlatTool, key: string): MergeField['changed'] {
  if (equal(base.get(key), theirs.get(key))) return 'mine';
  return equal(base.get(key), mine.get(key)) ? 'theirs' : 'both';
}

/** The choices that need nobody: each side keeps what only it changed. */
export function clearChoices(fields: readonly MergeField[]): Record<string, Side> {
  const choices: Record<string, Side> = {};
  for (const f of fields) if (f.changed !== 'both') choices[f.key] = f.changed;
  return choices;
}

/** The form that the choices give. A field without a choice stays mine: nothing of mine is lost unless somebody chose so. */
export function merge(mine: ToolForm, theirs: ToolForm, choices: Readonly<Record<string, Side>>): ToolForm {
  const side = (key: string) => (choices[key] === 'theirs' ? theirs : mine);
  const pick = <K extends keyof ToolForm>(key: K): ToolForm[K] => side(key)[key];
  const annotations = { ...mine.annotations };
  for (const hint of hints) annotations[hint] = side(`annotations.${hint}`).annotations[hint];
  const names = new Set([...mine.parameters, ...theirs.parameters].map((p) => p.name));
  const parameters = [...names].flatMap(
    (name) => side(`${parameterKey}${name}`).parameters.find((p) => p.name === name) ?? [],
  );
  return {
    connection_id: pick('connection_id'),
    name: pick('name'),
    title: pick('title'),
    description: pick('description'),
    sql_query: pick('sql_query'),
    parameters,
    transform: pick('transform'),
    tags: pick('tags'),
    annotations,
    cache_ttl: pick('cache_ttl'),
    is_enabled: pick('is_enabled'),
    content: pick('content'),
    input_schema: pick('input_schema'),
    output_schema: pick('output_schema'),
  };
}
