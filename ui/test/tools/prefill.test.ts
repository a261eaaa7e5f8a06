import { describe, expect, it } from 'vitest';
import type { Column, ParamType, Table } from '@/pages/tools/api';
import { defaultSchema, namespaceOf } from '@/pages/tools/completion';
import { markersOf, placeOf, units } from '@/pages/tools/markers';
import { listStatement, listTool, parseTable, quote, toolName } from '@/pages/tools/prefill';
import { newToolSearch, toolsSearch } from '@/pages/tools/search';
import { toolState } from '@/pages/tools/state';
import { suggest } from '@/pages/tools/suggest';

const column = (name: string, primary_key = false): Column => ({
  name,
  type: 'text',
  param_type: 'string',
  nullable: true,
  primary_key,
});

describe('a list of a table', () => {
  it('is sorted by its key and bounded', () => {
    expect(listStatement(parseTable('shop.orders'), [column('id', true), column('Placed At')], 'postgresql')).toBe(
      'SELECT id,\n       "Placed At"\nFROM shop.orders\nORDER BY id\nLIMIT :limit',
    );
  });

  it.each([
    ['mssql', 'ORDER BY (SELECT NULL)\nOFFSET 0 ROWS FETCH NEXT :limit ROWS ONLY'],
    ['cassandra', 'FROM t\nLIMIT :limit'],
    ['mysql', 'SELECT `order`'],
  ] as const)('in the words of %s', (db, part) => {
    expect(listStatement({ schema: '', table: 't' }, [column('order')], db)).toContain(part);
  });

  it('has a limit with a default, so that a call without arguments works', () => {
    const form = listTool('c', parseTable('main.order items'), [column('id', true)], 'sqlite');
    expect(form).toMatchObject({ connection_id: 'c', name: 'list_order_items' });
    expect(form.sql_query).toContain('FROM main."order items"');
    expect(form.parameters).toMatchObject([
      { name: 'limit', param_type: 'integer', default_value: '50', is_required: false },
    ]);
  });

  it.each([
    ['users', 'postgresql', 'users'],
    ['Users', 'postgresql', '"Users"'],
    ['user', 'postgresql', '"user"'],
    ['a"b', 'sqlite', '"a""b"'],
    ['a`b', 'mysql', '`a``b`'],
    ['a]b', 'mssql', '[a]]b]'],
    ['USERS', 'snowflake', 'USERS'],
    ['users', 'snowflake', '"users"'],
  ] as const)('quotes %s for %s', (name, db, want) => {
    expect(quote(name, db)).toBe(want);
  });

  it('makes a valid name of any table', () => {
    expect(toolName('list', 'Öl & Gas 2')).toMatch(/^list_[a-z0-9_]+$/);
    expect(toolName('list', '日本')).toBe('list');
    expect(toolName('list', 'x'.repeat(90))).toHaveLength(64);
  });
});

describe('markers', () => {
  const problem = { severity: 'error', code: 'x', message: 'm', field: 'sql_query', start: 2, end: 4 } as const;

  it('leave out what the builder mends by itself', () => {
    const undeclared = { ...problem, code: 'undeclared_parameter', field: 'parameters' };
    expect(markersOf('SELECT :a', 'sql_query', [problem, undeclared], undefined)).toEqual([
      { from: 2, to: 4, severity: 'error', message: 'm' },
    ]);
  });

  it('put the database’s error on its word, counted in characters', () => {
    const sql = "SELECT '😀', nope FROM t";
    const check = { ok: false, message: 'no such column', offset: 12, columns: [], param_types: {} };
    const [marker] = markersOf(sql, 'sql_query', [], check);
    expect(sql.slice(marker?.from, marker?.to)).toBe('nope');
    expect(units(sql, 12)).toBe(13);
  });

  it('underline the first line when the place is unknown', () => {
    const check = { ok: false, message: 'no', offset: -1, columns: [], param_types: {} };
    expect(markersOf('ab\ncd', 'sql_query', [], check)).toMatchObject([{ from: 0, to: 2 }]);
  });

  it('count lines and columns from one', () => {
    expect(placeOf('ab\ncd', 4)).toEqual({ line: 2, column: 2 });
  });
});

describe('completion', () => {
  const table = (schema: string, name: string): Table => ({
    schema,
    name,
    kind: 'table',
    rows: -1,
    comment: '',
    columns: [column('id')],
  });

  it('groups tables by schema', () => {
    expect(namespaceOf([table('a', 't'), table('a', 'u'), table('', 'v')])).toEqual({
      a: { t: ['id'], u: ['id'] },
      v: ['id'],
    });
  });

  it('knows which schema needs no prefix', () => {
    expect(defaultSchema('postgresql', [])).toBe('public');
    expect(defaultSchema('mysql', [table('shop', 't')])).toBe('shop');
    expect(defaultSchema('mysql', [table('shop', 't'), table('x', 't')])).toBeUndefined();
  });
});

describe('suggested types', () => {
  const used = (compared: string, suggested_type: ParamType = 'string') => [
    { name: 'p', suggested_type, compared, optional: false, declared: true, positions: [] },
  ];
  const table = (name: string, param_type: ParamType): Table => ({
    schema: 'main',
    name,
    kind: 'table',
    rows: -1,
    comment: '',
    columns: [{ ...column('price'), param_type }],
  });
  const tables = [table('products', 'number'), table('other', 'integer')];

  it.each([
    ['price', 'SELECT * FROM products WHERE price < :p', 'number'],
    ['x.Price', 'SELECT * FROM Products x WHERE x.Price < :p', 'number'],
    ['price', 'SELECT * FROM products, other WHERE price < :p', 'string'],
    ['name', 'SELECT * FROM products WHERE name = :p', 'string'],
    ['', 'SELECT :p FROM products', 'string'],
  ])('compared with %j in %j: %s', (compared, sql, want) => {
    expect(suggest(used(compared), sql, tables)[0]?.suggested_type).toBe(want);
  });

  it('never overrules the server', () => {
    expect(suggest(used('price', 'date'), 'FROM products', tables)[0]?.suggested_type).toBe('date');
  });
});

describe('addresses', () => {
  it('drop what they do not know', () => {
    expect(toolsSearch({ enabled: 'maybe', page: '1', sort: 'size', search: 'x' })).toEqual({ search: 'x' });
    expect(newToolSearch({ tab: 'nope', connection: 'c', table: 'a.b' })).toEqual({ connection: 'c', table: 'a.b' });
  });
});

describe('the state of a tool', () => {
  const change = { entity_type: 'tool', entity_id: 't', name: 'n', breaking: true, sentences: [], fields: [] };

  it.each([
    [true, undefined, 'Saved'],
    [true, [], 'Live'],
    [true, [{ ...change, kind: 'changed' as const }], 'Saved, not live'],
    [true, [{ ...change, kind: 'added' as const }], 'Saved, never live'],
    [true, [{ ...change, kind: 'changed' as const, entity_type: 'connection' }], 'Live'],
    [false, [], 'Disabled'],
    [false, [{ ...change, kind: 'removed' as const }], 'Disabled, live until the next deploy'],
  ])('enabled %s', (is_enabled, changes, want) => {
    expect(toolState({ id: 't', is_enabled }, changes).word).toBe(want);
  });
});
