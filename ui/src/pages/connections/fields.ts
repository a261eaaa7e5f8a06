import { type FieldTable, plainFields, plainText } from '@/editing/fields';
import { isKind, kinds } from './kinds';
import { fresh, isOptions, parseValues, relevant, sameValues, sortedOptions, type Values } from './values';

export type Field = keyof Values;

export const fieldLabels: Readonly<Record<Field, string>> = {
  name: 'Name',
  db_type: 'Kind',
  host: 'Host',
  port: 'Port',
  database: 'Database',
  username: 'User',
  ssl_mode: 'TLS mode',
  ssl_root_cert: 'Certificates',
  pool_min_size: 'Idle connections kept',
  pool_max_size: 'Connections at most',
  max_concurrent_queries: 'Queries at once',
  queue_enabled: 'Queue',
  queue_timeout_seconds: 'Queue wait',
  statement_timeout_seconds: 'Statement timeout',
  max_rows: 'Rows at most',
  max_result_kib: 'Result size at most',
  read_only: 'Read-only',
  is_active: 'Enabled',
  tags: 'Tags',
  options: 'Options',
};

/** The fields of a connection, as its kind uses them; secrets are none of them. */
export const connectionFields: FieldTable<Values> = plainFields(fresh, fieldLabels, {
  flatten: (values) => {
    const used = relevant(values);
    const all: Values = { ...used, options: sortedOptions(used.options) };
    return new Map(Object.keys(fieldLabels).map((name) => [name, new Map(Object.entries(all)).get(name)]));
  },
  text: (key, value) => {
    if (key === 'db_type' && isKind(value)) return kinds[value].title;
    if (isOptions(value)) return value.map((o) => `${o.name} = ${o.value}`).join('\n');
    return plainText(key, value);
  },
  same: sameValues,
  parse: parseValues,
});
