import { describe, expect, it } from 'vitest';
import type { ParamType, Tool } from '@/pages/tools/api';
import { baseOf, reduce, start } from '@/pages/tools/builder-state';
import { blankForm, blankParameter } from '@/pages/tools/form';
import { mapOffset, type Reconciled, reconcile, similar, type Used } from '@/pages/tools/reconcile';

/** What the server would find, as far as these statements go: names and places. */
function usesOf(sql: string, types: Readonly<Record<string, ParamType>> = {}): Used[] {
  const used = new Map<string, { start: number }[]>();
  for (const m of sql.matchAll(/(?<![:\w]):([a-z_]\w*)/g)) {
    const name = m[1] ?? '';
    used.set(name, [...(used.get(name) ?? []), { start: m.index }]);
  }
  const optional = (name: string) => new RegExp(`:${name}\\b(::\\w+)? IS NULL`).test(sql);
  return [...used].map(([name, positions]) => ({
    name,
    suggested_type: types[name] ?? 'string',
    optional: optional(name),
    positions,
  }));
}

const empty: Reconciled = { parameters: [], tests: {}, gone: [], renamed: {}, auto: [], seen: undefined };

function loaded(sql: string, settings: Readonly<Record<string, string>>): Reconciled {
  const parameters = Object.entries(settings).map(([name, description]) => ({
    ...blankParameter(name, 'integer'),
    description,
  }));
  return reconcile({ ...empty, parameters, tests: { limit: '7' } }, sql, usesOf(sql));
}

const step = (before: Reconciled, sql: string, types?: Readonly<Record<string, ParamType>>) =>
  reconcile(before, sql, usesOf(sql, types));
const names = (r: Reconciled) => r.parameters.map((p) => p.name);

describe('reconcile', () => {
  const sql = 'SELECT * FROM t WHERE a = :country OR b = :country LIMIT :limit';
  const before = loaded(sql, { limit: 'how many', country: 'where' });

  it('leaves a loaded tool alone, also when its order is not the order of use', () => {
    expect(names(before)).toEqual(['limit', 'country']);
    const again = step(before, sql);
    expect(again.parameters).toBe(before.parameters);
    expect(again.tests).toEqual({ limit: '7' });
  });

  it('keeps the settings while a name is typed over, letter by letter', () => {
    let now = before;
    for (const name of ['limi', 'lim', 'l', 'm', 'ma', 'max', 'max_r', 'max_rows'])
      now = step(now, sql.replace(':limit', `:${name}`));
    expect(names(now)).toEqual(['country', 'max_rows']);
    expect(now.parameters[1]).toMatchObject({ description: 'how many', param_type: 'integer' });
    expect(now.tests).toEqual({ max_rows: '7' });
    expect(now.renamed).toEqual({ max_rows: 'limit' });
    expect(now.gone).toEqual([]);
  });

  it('takes a parameter that the statement can do without as optional, until somebody chooses', () => {
    const required = (r: Reconciled) => Object.fromEntries(r.parameters.map((p) => [p.name, p.is_required]));
    const typed = step(step(empty, 'WHERE a = :a'), 'WHERE (:a IS NULL OR a = :a) AND b = :b');
    expect(required(typed)).toEqual({ a: false, b: true });
    expect(required(step(typed, 'WHERE a = :a AND b = :b'))).toEqual({ a: true, b: true });
    // Chosen by hand: what the statement suggests no longer decides.
    const chosen = { ...typed, parameters: typed.parameters.map((p) => ({ ...p, is_required: !p.is_required })) };
    expect(required(step(chosen, 'WHERE (:a IS NULL OR a = :a) AND (:b IS NULL OR b = :b) AND c'))).toEqual({
      a: true,
      b: false,
    });
    // A stored parameter is never changed by an edit of the statement.
    expect(required(step(before, sql.replace('b = :country', ':country IS NULL')))).toEqual({
      limit: true,
      country: true,
    });
    // Nothing was set: nothing is kept greyed when it goes.
    expect(step(typed, 'WHERE b = :b').gone).toEqual([]);
  });

  it('keeps them when the name is deleted first', () => {
    const without = step(before, sql.replace(':limit', ':'));
    expect(without.gone.map((g) => g.parameter.name)).toEqual(['limit']);
    const now = step(without, sql.replace(':limit', ':top'));
    expect(now.parameters.at(-1)).toMatchObject({ name: 'top', description: 'how many' });
    expect(now.tests).toEqual({ top: '7' });
    expect(now.gone).toEqual([]);
  });

  it('follows a rename of every use at once', () => {
    const now = step(before, sql.replaceAll(':country', ':region_code'));
    expect(now.parameters[0]).toMatchObject({ name: 'region_code', description: 'where' });
    expect(now.renamed).toEqual({ region_code: 'country' });
  });

  it('takes one of two uses for a new parameter', () => {
    const now = step(before, sql.replace(':country', ':origin'));
    expect(names(now)).toEqual(['origin', 'country', 'limit']);
    expect(now.parameters[0]?.description).toBe('');
    expect(now.parameters[1]?.description).toBe('where');
  });

  it('follows a rename through an edited copy that also changed elsewhere', () => {
    const now = step(before, 'SELECT id FROM u WHERE x = :land OR y = :land ORDER BY id LIMIT :limit');
    expect(now.parameters[0]).toMatchObject({ name: 'land', description: 'where' });
  });

  it('does not hand settings to an unrelated statement', () => {
    const now = step(loaded('SELECT :country', { country: 'where' }), 'DELETE FROM x WHERE y IN (1) AND name LIKE :q');
    expect(now.parameters).toMatchObject([{ name: 'q', description: '' }]);
    expect(now.gone.map((g) => g.parameter.name)).toEqual(['country']);
  });

  it('gives settings back when the placeholder returns, and to its old place', () => {
    const without = step(before, sql.replace(' LIMIT :limit', ''));
    expect(names(without)).toEqual(['country']);
    const back = step(without, `${sql.replace(' LIMIT :limit', '')} LIMIT :limit`);
    expect(back.parameters.at(-1)).toMatchObject({ name: 'limit', description: 'how many' });
    expect(back.tests).toEqual({ limit: '7' });
  });

  it('keeps nothing of a name that was only typed', () => {
    const typed = step(before, `${sql} OFFSET :skip`);
    expect(step(typed, sql).gone).toEqual([]);
    const described = { ...typed, tests: { ...typed.tests, skip: '3' } };
    expect(step(described, sql).gone.map((g) => g.parameter.name)).toEqual(['skip']);
  });

  it('forgets a rename that was taken back', () => {
    const now = step(step(before, sql.replace(':limit', ':limits')), sql);
    expect(now.renamed).toEqual({});
  });

  it('preselects the suggested type and follows it until somebody chooses', () => {
    const typed = step(empty, 'SELECT :n', { n: 'string' });
    expect(typed.parameters[0]?.param_type).toBe('string');
    const limit = step(typed, 'SELECT 1 LIMIT :n', { n: 'integer' });
    expect(limit.parameters[0]?.param_type).toBe('integer');
    expect(step(limit, 'SELECT 1 LIMIT :n --', { n: 'string' }).parameters[0]?.param_type).toBe('integer');
    const chosen = { ...limit, auto: [] };
    expect(step(chosen, 'SELECT 1 LIMIT :n ', { n: 'number' }).parameters[0]?.param_type).toBe('integer');
  });
});

describe('mapOffset', () => {
  it.each([
    ['abc :x', 'abc :x', 4, 4],
    ['abc :x', 'a :x', 4, 2],
    ['abc :x', 'abcdef :x', 4, 7],
    ['abc :x def', 'abc :y def', 4, 4],
    ['abc :x def', 'abc :yy def', 7, 8],
  ])('%j → %j: %i is at %i', (before, after, offset, want) => {
    expect(mapOffset(before, after, offset)).toBe(want);
  });
});

describe('similar', () => {
  it.each([
    ['country', 'countries', true],
    ['Limit', 'limit', true],
    ['a', 'b', false],
    ['since', 'category', false],
  ])('%s and %s: %s', (a, b, want) => {
    expect(similar(a, b)).toBe(want);
  });
});

describe('restoring a vanished parameter', () => {
  const sql = 'SELECT * FROM t WHERE a = :a LIMIT :limit';
  const form = { ...blankForm('c'), sql_query: sql, parameters: ['a', 'limit'].map((n) => blankParameter(n)) };
  const analysed = (text: string) => ({ type: 'analysed', sql: text, used: usesOf(text) }) as const;

  it.each([
    ['SELECT * FROM t WHERE a = :a LIMIT ', sql],
    ['SELECT * FROM t WHERE a = :a LIMIT :', sql],
  ])('puts it back into %j', (now, want) => {
    let state = reduce(start({ version: 1, form }), analysed(sql));
    state = reduce(state, { type: 'edit', patch: { sql_query: now } });
    state = reduce(state, analysed(now));
    expect(state.gone.map((g) => g.parameter.name)).toEqual(['limit']);
    state = reduce(state, { type: 'restore', name: 'limit' });
    expect(state.form.sql_query).toBe(want);
    state = reduce(state, analysed(want));
    expect(state.form.parameters).toEqual(form.parameters);
    expect(state.gone).toEqual([]);
  });

  it('finds its place after later edits', () => {
    let state = reduce(start({ version: 1, form }), analysed(sql));
    for (const text of ['SELECT * FROM t WHERE a = :a LIMIT ', 'SELECT id, b FROM t WHERE a = :a LIMIT ']) {
      state = reduce(state, { type: 'edit', patch: { sql_query: text } });
      state = reduce(state, analysed(text));
    }
    state = reduce(state, { type: 'restore', name: 'limit' });
    expect(state.form.sql_query).toBe('SELECT id, b FROM t WHERE a = :a LIMIT :limit');
  });

  it('is over once the tool is saved', () => {
    let state = reduce(start({ version: 1, form }), analysed(sql));
    state = reduce(state, { type: 'edit', patch: { sql_query: 'SELECT :a' } });
    state = reduce(state, analysed('SELECT :a'));
    const tool: Tool = {
      ...baseTool,
      sql_query: 'SELECT :a',
      parameters: [{ name: 'a', param_type: 'string', description: '', is_required: true, sort_order: 0 }],
    };
    state = reduce(state, { type: 'saved', tool });
    expect(state.gone).toEqual([]);
    expect(state.base).toEqual(baseOf(tool));
  });
});

const baseTool: Tool = {
  id: 't',
  version: 2,
  created_at: '',
  updated_at: '',
  connection_id: 'c',
  name: '',
  title: '',
  description: '',
  sql_query: '',
  parameters: [],
  tags: [],
  annotations: { read_only: true, destructive: false, idempotent: false, open_world: false },
  content: {},
  cache_ttl: 0,
  transform: '',
  is_enabled: true,
};
