import type { Tool } from './api';
import { readOnlyAnnotations } from './form';

/**
 * A tool out of JSON that the contract does not type: a snapshot of the history, the current state that comes with
 * a conflict. An older version may lack fields that were added since; undefined for anything that is no tool.
 */
export function asTool(value: unknown): Tool | undefined {
  if (!isSnapshot(value)) return undefined;
  const blank: Tool = {
    id: '',
    version: 0,
    created_at: '',
    updated_at: '',
    connection_id: '',
    name: '',
    title: '',
    description: '',
    sql_query: '',
    parameters: [],
    tags: [],
    annotations: readOnlyAnnotations,
    content: {},
    cache_ttl: 0,
    transform: '',
    is_enabled: true,
  };
  return { ...blank, ...value };
}

function isSnapshot(value: unknown): value is Partial<Tool> {
  return typeof value === 'object' && value !== null && 'sql_query' in value && typeof value.sql_query === 'string';
}
