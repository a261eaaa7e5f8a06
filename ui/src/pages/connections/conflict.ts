import { kinds } from './kinds';
import { relevant, sameOptions, type Values } from './values';

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

export interface Difference {
  field: Field;
  /** Who changed it since the common version. */
  by: 'both' | 'mine' | 'theirs';
  theirs: string;
  mine: string;
}

const same = (field: Field, a: Values, b: Values): boolean =>
  field === 'options' ? sameOptions(a.options, b.options) : a[field] === b[field];

/** A value as one reads it. */
export function shown(field: Field, values: Values): string {
  switch (field) {
    case 'db_type':
      return kinds[values.db_type].title;
    case 'options':
      return values.options.map((o) => `${o.name} = ${o.value}`).join('\n');
    default: {
      const value = values[field];
      if (typeof value === 'boolean') return value ? 'on' : 'off';
      return value;
    }
  }
}

/** Field by field, what differs between two states that grew from one. Equal changes on both sides are no difference. */
export function differences(base: Values, theirs: Values, mine: Values): Difference[] {
  const [b, t, m] = [relevant(base), relevant(theirs), relevant(mine)];
  // Values has exactly the labelled members.
  return (Object.keys(fieldLabels) as Field[]).flatMap((field): Difference[] => {
    if (same(field, t, m)) return [];
    const by = same(field, b, m) ? 'theirs' : same(field, b, t) ? 'mine' : 'both';
    return [{ field, by, theirs: shown(field, t), mine: shown(field, m) }];
  });
}

export type Choice = 'mine' | 'theirs';

/** The choice before anybody chose: what only one side changed is taken from that side; where both did, mine. */
export const usualChoice = (difference: Difference): Choice => (difference.by === 'theirs' ? 'theirs' : 'mine');

/** Mine, with the fields that are taken from theirs. */
export function merged(theirs: Values, mine: Values, choices: Readonly<Partial<Record<Field, Choice>>>): Values {
  const out: Values = { ...mine };
  // Values has exactly the labelled members.
  for (const field of Object.keys(fieldLabels) as Field[]) {
    if (choices[field] === 'theirs') Object.assign(out, { [field]: theirs[field] });
  }
  return out;
}
