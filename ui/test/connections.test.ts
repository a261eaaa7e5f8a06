import { describe, expect, test } from 'vitest';
import { changesBetween } from '@/editing/fields';
import { merge, mergeFields } from '@/editing/merge';
import { connectionFields } from '@/pages/connections/fields';
import { findKinds, target } from '@/pages/connections/kinds';
import { parseListSearch } from '@/pages/connections/list-search';
import { quoteName, sampleSql } from '@/pages/connections/sql';
import { bySchema, reference } from '@/pages/connections/tables';
import { applyUrl, parseUrl } from '@/pages/connections/url';
import {
  anyTyped,
  askedAgain,
  type Connection,
  draftOf,
  endpointChanges,
  fresh,
  parseValues,
  patchOf,
  sameValues,
  unsendable,
  type Values,
  valuesOf,
  withKind,
} from '@/pages/connections/values';

const mask = '••••••';
const saved: Connection = {
  id: '01',
  version: 7,
  created_at: '2025-01-01T00:00:00Z',
  updated_at: '2025-01-01T00:00:00Z',
  name: 'Orders',
  db_type: 'postgresql',
  host: 'DB.internal',
  port: 5432,
  database: 'orders',
  username: 'reader',
  password: mask,
  ssl_mode: 'verify-full',
  ssl_root_cert: '',
  pool_min_size: 0,
  pool_max_size: 5,
  extra_params: { pooler: true },
  is_active: true,
  read_only: true,
  max_concurrent_queries: 5,
  queue_enabled: true,
  queue_timeout_seconds: 30,
  statement_timeout_seconds: 30,
  max_rows: 1000,
  max_result_bytes: 1_000_000,
  needs_secret: false,
  tags: ['shop', 'eu'],
};
const bigquery: Connection = {
  ...saved,
  db_type: 'bigquery',
  host: '',
  port: 0,
  database: '',
  username: '',
  password: null,
  ssl_mode: 'prefer',
  extra_params: { project_id: 'acme', credentials_json: mask },
};
const from = (part: Partial<Values>): Values => ({ ...valuesOf(saved), ...part });

describe('a pasted URL', () => {
  const parse = (text: string) => parseUrl(text, 'mysql');

  test.each<[string, Partial<Values>, string | undefined]>([
    [
      'postgres://me:secret@db.example.org:6432/shop?sslmode=verify-full',
      {
        db_type: 'postgresql',
        host: 'db.example.org',
        port: '6432',
        database: 'shop',
        username: 'me',
        ssl_mode: 'verify-full',
      },
      'secret',
    ],
    [
      'postgresql+psycopg2://u%40corp:p%40ss%2Fw%3Ard%25@db/shop',
      { db_type: 'postgresql', host: 'db', port: '5432', database: 'shop', username: 'u@corp' },
      'p@ss/w:rd%',
    ],
    [
      'postgres://u:a@b/c#d?e@h:1/x',
      { db_type: 'postgresql', host: 'h', port: '1', database: 'x', username: 'u' },
      'a@b/c#d?e',
    ],
    ['postgres://u:100%@h/x', { db_type: 'postgresql', host: 'h', port: '5432', database: 'x', username: 'u' }, '100%'],
    [
      'postgres://u:p@h/x?user=a@b',
      { db_type: 'postgresql', host: 'h', port: '5432', database: 'x', username: 'a@b' },
      'p',
    ],
    [
      'mysql://root@[2001:db8::1]:3307/app',
      { db_type: 'mysql', host: '2001:db8::1', port: '3307', database: 'app', username: 'root' },
      undefined,
    ],
    [
      'mysql://[::1]/app?ssl-mode=VERIFY_IDENTITY',
      { db_type: 'mysql', host: '::1', port: '3306', database: 'app', ssl_mode: 'verify-full' },
      undefined,
    ],
    ['mariadb://h', { db_type: 'mysql', host: 'h', port: '3306' }, undefined],
    [
      'jdbc:sqlserver://sql:1444;databaseName=crm;user=sa;password=x=y;encrypt=true',
      { db_type: 'mssql', host: 'sql', port: '1444', database: 'crm', username: 'sa', ssl_mode: 'require' },
      'x=y',
    ],
    [
      'postgres://u:p;x@h/d?sslmode=require',
      { db_type: 'postgresql', host: 'h', port: '5432', database: 'd', username: 'u', ssl_mode: 'require' },
      'p;x',
    ],
    [
      'postgres://postgres.abc:pw@aws-0.pooler.supabase.com:6543/postgres',
      {
        db_type: 'supabase',
        host: 'aws-0.pooler.supabase.com',
        port: '6543',
        database: 'postgres',
        username: 'postgres.abc',
      },
      'pw',
    ],
    ['sqlite:shop.db', { db_type: 'sqlite', database: 'shop.db' }, undefined],
    ['sqlite:///data/shop.db', { db_type: 'sqlite', database: 'data/shop.db' }, undefined],
    [
      'cassandra://c:p@node/ks',
      {
        db_type: 'cassandra',
        host: 'node',
        port: '9042',
        username: 'c',
        options: [{ name: 'keyspace', type: 'text', value: 'ks' }],
      },
      'p',
    ],
  ])('%s', (text, values, password) => {
    const parsed = parse(text);
    expect(parsed?.values).toEqual(values);
    expect(parsed?.password).toBe(password);
  });

  test('what is not taken over is said', () => {
    expect(parse('postgres://a,b:5433/x?application_name=y')?.left).toEqual([
      'the further hosts b:5433',
      'application_name',
    ]);
    expect(parse('sqlite:////srv/data/shop.db')).toMatchObject({
      values: { database: 'shop.db' },
      left: [expect.stringContaining('directory')],
    });
  });

  test('snowflake and bigquery fill their own options', () => {
    expect(parse('snowflake://me:pw@acme-eu/SALES/PUBLIC?warehouse=WH&role=READER')).toEqual({
      values: {
        db_type: 'snowflake',
        port: '',
        username: 'me',
        database: 'SALES',
        options: [
          { name: 'account', type: 'text', value: 'acme-eu' },
          { name: 'warehouse', type: 'text', value: 'WH' },
          { name: 'schema', type: 'text', value: 'PUBLIC' },
          { name: 'role', type: 'text', value: 'READER' },
        ],
      },
      password: 'pw',
      left: [],
    });
    expect(parse('bigquery://acme/models')?.values.options).toHaveLength(2);
  });

  test.each(['', 'shop.db', 'http://example.org', 'postgres:', 'postgres', 'redis://x'])('%j is none', (text) =>
    expect(parse(text)).toBeUndefined(),
  );

  test('a kind that speaks PostgreSQL stays, and what the URL does not name stays too', () => {
    const parsed = parseUrl('postgres://h/x', 'greenplum');
    expect(parsed?.values.db_type).toBe('greenplum');
    const base = { ...fresh, username: 'kept', options: [{ name: 'pooler', type: 'boolean', value: 'true' }] as const };
    const next = parsed && applyUrl(base, parsed);
    expect(next).toMatchObject({ name: 'x', username: 'kept', host: 'h', options: base.options });
  });
});

describe('the endpoint', () => {
  test.each<[string, Partial<Values>, string[]]>([
    ['nothing', {}, []],
    ['only the case of the host', { host: 'db.INTERNAL' }, []],
    ['spaces around the host', { host: ' DB.internal ' }, []],
    ['the database', { database: 'other' }, []],
    ['limits and the name', { max_rows: '5', name: 'x', read_only: false }, []],
    ['host', { host: 'evil.example' }, ['host']],
    ['port', { port: '5433' }, ['port']],
    ['user', { username: 'postgres' }, ['user']],
    ['TLS', { ssl_mode: 'disable' }, ['TLS mode']],
    ['certificates', { ssl_root_cert: 'PEM' }, ['certificates']],
    ['options', { options: [] }, ['options']],
    ['kind', { db_type: 'greenplum' }, ['kind']],
  ])('%s', (_what, part, words) => expect(endpointChanges(valuesOf(saved), from(part))).toEqual(words));

  test('a stored password is asked again only while nobody decided', () => {
    const moved = from({ host: 'new.internal' });
    expect(askedAgain(saved, moved, {})).toEqual(['password']);
    expect(askedAgain(saved, moved, { password: '' })).toEqual(['password']);
    expect(askedAgain(saved, moved, { password: 'typed' })).toEqual([]);
    expect(askedAgain(saved, moved, { password: null })).toEqual([]);
    expect(askedAgain({ ...saved, password: null }, moved, {})).toEqual([]);
    expect(askedAgain(saved, from({ database: 'other' }), {})).toEqual([]);
  });

  test('a stored key is asked again when another option changes', () => {
    const values = { ...valuesOf(bigquery), options: [{ name: 'project_id', type: 'text', value: 'other' } as const] };
    expect(askedAgain(bigquery, values, {})).toEqual(['credentials_json']);
    expect(askedAgain(bigquery, valuesOf(bigquery), {})).toEqual([]);
  });
});

describe('what is sent', () => {
  test('opening a connection is no change', () => {
    expect(patchOf(saved, valuesOf(saved), {})).toEqual({ version: 7 });
    expect(sameValues(valuesOf(saved), valuesOf(saved))).toBe(true);
    expect(anyTyped({})).toBe(false);
  });

  test('only changed fields, in the types of the server', () => {
    const values = from({ port: ' 6000 ', max_result_kib: '2048', tags: 'eu, shop, eu', queue_enabled: false });
    expect(patchOf(saved, values, {})).toEqual({
      version: 7,
      port: 6000,
      max_result_bytes: 2_097_152,
      tags: ['eu', 'shop'],
      queue_enabled: false,
    });
  });

  test('a size that is no whole number of KiB survives', () => {
    expect(draftOf(valuesOf(saved), {}).max_result_bytes).toBe(1_000_000);
    expect(unsendable(valuesOf(saved))).toEqual({});
  });

  test('an untouched password is left out, a typed one sent, null removes it', () => {
    expect(patchOf(saved, valuesOf(saved), {})).not.toHaveProperty('password');
    expect(patchOf(saved, valuesOf(saved), { password: '' })).not.toHaveProperty('password');
    expect(patchOf(saved, valuesOf(saved), { password: 'new' })).toEqual({ version: 7, password: 'new' });
    expect(patchOf(saved, valuesOf(saved), { password: null })).toEqual({ version: 7, password: null });
    expect(draftOf(fresh, {})).not.toHaveProperty('password');
  });

  test('the mask never goes back', () => {
    expect(JSON.stringify(patchOf(bigquery, { ...valuesOf(bigquery), options: [] }, {}))).not.toContain(mask);
    expect(JSON.stringify(draftOf(valuesOf(bigquery), {}))).not.toContain(mask);
  });

  test('a secret option travels in extra_params with the others', () => {
    expect(patchOf(bigquery, valuesOf(bigquery), { credentials_json: '{}' })).toEqual({
      version: 7,
      extra_params: { project_id: 'acme', credentials_json: '{}' },
    });
    expect(patchOf(bigquery, valuesOf(bigquery), { credentials_json: null }).extra_params).toEqual({
      project_id: 'acme',
      credentials_json: null,
    });
  });

  test('a kind without a password removes the stored one and what it does not use', () => {
    const patch = patchOf(saved, withKind(from({ database: 'shop.db' }), 'sqlite'), {});
    expect(patch).toMatchObject({
      db_type: 'sqlite',
      host: '',
      port: 0,
      username: '',
      database: 'shop.db',
      password: null,
    });
  });

  test('options keep their types', () => {
    const options = [
      { name: 'a', type: 'number', value: '1.5' },
      { name: 'b', type: 'boolean', value: 'false' },
      { name: 'c', type: 'json', value: '[1]' },
      { name: 'd', type: 'text', value: '1' },
    ] as const;
    expect(patchOf(saved, from({ options }), {}).extra_params).toEqual({ a: 1.5, b: false, c: [1], d: '1' });
  });
});

describe('the form', () => {
  test('what cannot be sent is said at its field', () => {
    const options = [
      { name: 'x', type: 'json', value: '{' },
      { name: 'y', type: 'number', value: 'ten' },
    ] as const;
    const errors = unsendable(from({ name: ' ', port: '5432x', max_rows: '', max_result_kib: '0.1', options }));
    expect(Object.keys(errors).sort()).toEqual([
      'extra_params.x',
      'extra_params.y',
      'max_result_bytes',
      'max_rows',
      'port',
    ]);
  });

  test('shared values survive a change of kind, and the usual port follows', () => {
    const there = withKind(from({}), 'mysql');
    expect(there).toMatchObject({ db_type: 'mysql', port: '3306', host: 'DB.internal', username: 'reader' });
    expect(sameValues(withKind(there, 'postgresql'), valuesOf(saved))).toBe(true);
    expect(withKind(withKind(from({}), 'sqlite'), 'postgresql')).toEqual(from({}));
    expect(withKind(from({ port: '6432' }), 'mysql').port).toBe('6432');
  });

  test('dirty means different, not touched', () => {
    expect(sameValues(valuesOf(saved), from({ host: 'DB.internal ', tags: 'shop,eu' }))).toBe(true);
    expect(sameValues(valuesOf(saved), from({ name: 'x' }))).toBe(false);
    expect([anyTyped({ password: '' }), anyTyped({ password: null }), anyTyped({ password: 'x' })]).toEqual([
      false,
      true,
      true,
    ]);
  });

  test('a draft that another version of the page kept is not taken', () => {
    expect(parseValues(JSON.parse(JSON.stringify(from({}))))).toEqual(from({}));
    expect(parseValues({ ...from({}), max_rows: 5 })).toBeUndefined();
    expect(parseValues({ ...from({}), db_type: 'oracle' })).toBeUndefined();
    expect(parseValues({ ...from({}), options: [{ name: 'x' }] })).toBeUndefined();
    expect(parseValues(null)).toBeUndefined();
  });
});

describe('a conflict', () => {
  const base = from({});
  const theirs = from({ host: 'theirs', max_rows: '10', name: 'Same' });
  const mine = from({ host: 'mine', database: 'mine', name: 'Same' });

  test('says who changed what; equal changes are none', () => {
    expect(
      mergeFields(connectionFields, base, mine, theirs).map((f) => [f.label, f.changed, f.mine, f.theirs]),
    ).toEqual([
      ['Host', 'both', 'mine', 'theirs'],
      ['Database', 'mine', 'mine', 'orders'],
      ['Rows at most', 'theirs', '1000', '10'],
    ]);
  });

  test('takes field by field', () => {
    expect(merge(connectionFields, mine, theirs, { host: 'mine', max_rows: 'theirs' })).toEqual(
      from({ host: 'mine', database: 'mine', max_rows: '10', name: 'Same' }),
    );
  });

  test('shows values as one reads them, and only what the kind uses', () => {
    const one = from({
      options: [
        { name: 'b', type: 'text', value: '2' },
        { name: 'a', type: 'number', value: '1' },
      ],
    });
    const same = from({
      options: [
        { name: 'a', type: 'number', value: '1' },
        { name: 'b', type: 'text', value: '2' },
      ],
    });
    expect(changesBetween(connectionFields, one, same)).toEqual([]);
    const words = changesBetween(
      connectionFields,
      from({}),
      from({ ...one, read_only: false, db_type: 'sqlite', host: 'gone' }),
    );
    expect(words.map((c) => [c.label, c.after])).toEqual([
      ['Kind', 'SQLite'],
      ['Host', ''],
      ['Port', ''],
      ['User', ''],
      ['TLS mode', 'prefer'],
      ['Read-only', 'no'],
      ['Options', 'a = 1\nb = 2'],
    ]);
  });
});

describe('identifiers', () => {
  test.each([
    ['postgresql', 'we"ird', '"we""ird"'],
    ['sqlite', 'a.b', '"a.b"'],
    ['mysql', 'a`b', '`a``b`'],
    ['mssql', 'a]b[', '[a]]b[]'],
    ['clickhouse', 'a\\`b', '`a\\\\\\`b`'],
    ['bigquery', 'a`', '`a\\``'],
  ] as const)('%s %s', (kind, name, quoted) => expect(quoteName(kind, name)).toBe(quoted));

  test('the sample is limited in the words of the kind', () => {
    expect(sampleSql('postgresql', { schema: 'public', name: 'Order' }, 20)).toBe(
      'SELECT * FROM "public"."Order" LIMIT 20',
    );
    expect(sampleSql('sqlite', { schema: '', name: 'x"; drop table y' }, 20)).toBe(
      'SELECT * FROM "x""; drop table y" LIMIT 20',
    );
    expect(sampleSql('mssql', { schema: 'dbo', name: 't' }, 5)).toBe('SELECT TOP 5 * FROM [dbo].[t]');
  });
});

describe('lists', () => {
  test('the address is read with care', () => {
    expect(parseListSearch({ search: 2024, db_type: 'sqlite', sort: '-name', page: 2 })).toEqual({
      search: '2024',
      db_type: 'sqlite',
      sort: '-name',
      page: 2,
    });
    expect(parseListSearch({ search: {}, db_type: 'oracle', sort: 'password', page: -1 })).toEqual({});
  });

  test('where a connection leads, in one line', () => {
    expect(target(saved)).toBe('DB.internal / orders');
    expect(target({ ...saved, port: 6432 })).toBe('DB.internal:6432 / orders');
    expect(target(bigquery)).toBe('acme');
  });

  test('kinds are found by other words', () => {
    expect(findKinds('mariadb')).toEqual(['mysql']);
    expect(findKinds(' SQL ')).toContain('mssql');
    expect(findKinds('oracle')).toEqual([]);
  });

  test('tables are grouped, keys are named', () => {
    const table = (schema: string, name: string) => ({ schema, name, kind: 'table', rows: -1, comment: '' });
    const groups = bySchema([table('b', 'y'), table('a', 'z'), table('b', 'x')]);
    expect(groups.map((g) => [g.schema, g.tables.map((t) => t.name)])).toEqual([
      ['a', ['z']],
      ['b', ['x', 'y']],
    ]);
    const key = { columns: ['a', 'b'], ref_schema: 'public', ref_table: 't', ref_columns: ['x', 'y'] };
    expect([reference('b', [key]), reference('c', [key])]).toEqual(['public.t.y', undefined]);
  });
});
