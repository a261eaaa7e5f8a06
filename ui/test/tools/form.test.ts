import { describe, expect, it } from 'vitest';
import type { Tool } from '@/pages/tools/api';
import { baseOf, isDirty, reduce, start } from '@/pages/tools/builder-state';
import { byName, liveErrors, stillTrue } from '@/pages/tools/errors';
import {
  argumentsOf,
  blankParameter,
  changedFields,
  fromTool,
  sameTool,
  toDraft,
  unsendable,
} from '@/pages/tools/form';
import { listOf, parsedValue, textOf, textOfList } from '@/pages/tools/values';

const tool: Tool = {
  id: 't1',
  version: 7,
  created_at: '2026-01-01T00:00:00Z',
  updated_at: '2026-01-02T00:00:00Z',
  connection_id: 'c1',
  name: 'top',
  title: '',
  description: 'Top things.',
  sql_query: 'SELECT :limit, :since, :ids',
  parameters: [
    { name: 'since', param_type: 'date', description: '', is_required: true, sort_order: 1 },
    {
      name: 'limit',
      param_type: 'integer',
      description: 'n',
      is_required: false,
      default_value: 10,
      enum_values: [10, 20],
      minimum: 1,
      maximum: 100,
      sort_order: 0,
    },
    {
      name: 'ids',
      param_type: 'array',
      item_type: 'integer',
      description: '',
      is_required: false,
      default_value: [1, 2],
      sort_order: 2,
    },
  ],
  tags: ['a', 'b c'],
  annotations: { read_only: true, destructive: false, idempotent: true, open_world: false },
  content: { picture: { type: 'image', mime_type: 'image/png' } },
  input_schema: { type: 'object' },
  cache_ttl: 60,
  transform: 'map(.a)',
  is_enabled: true,
};

describe('a tool through its form', () => {
  it('comes out as it went in, in the order of its parameters', () => {
    const { id, version, created_at, updated_at, ...fields } = tool;
    const sorted = [...tool.parameters].sort((a, b) => a.sort_order - b.sort_order);
    expect(toDraft(fromTool(tool))).toEqual({ ...fields, parameters: sorted });
  });

  it('sends only what changed', () => {
    const before = fromTool(tool);
    const now = { ...before, title: 'Top', tags: 'a,  b c' };
    expect(changedFields(toDraft(before), toDraft(now))).toEqual({ title: 'Top' });
  });

  it('does not send what does not belong to the type, but keeps it in its field', () => {
    const limit = { ...blankParameter('n', 'string'), minimum: '1', maximum: '2', pattern: '^a' };
    expect(toDraft({ ...fromTool(tool), parameters: [limit] }).parameters?.[0]).toEqual({
      name: 'n',
      param_type: 'string',
      description: '',
      is_required: true,
      sort_order: 0,
      pattern: '^a',
    });
  });

  it('names what cannot be sent at all', () => {
    const parameters = [{ ...blankParameter('n', 'number'), minimum: 'low' }];
    expect(Object.keys(unsendable(toDraft({ ...fromTool(tool), cache_ttl: '1.5', parameters })))).toEqual([
      'cache_ttl',
      'parameters.0.minimum',
    ]);
  });
});

describe('dirty', () => {
  const opened = start(baseOf(tool));

  it('is not a tool that was only opened', () => {
    expect(isDirty(opened)).toBe(false);
  });

  it('is not what was typed and taken back, nor a test value, nor white space that is not saved', () => {
    const typed = reduce(opened, { type: 'edit', patch: { name: 'other' } });
    expect(isDirty(typed)).toBe(true);
    expect(isDirty(reduce(typed, { type: 'edit', patch: { name: 'top ' } }))).toBe(false);
    expect(isDirty(reduce(opened, { type: 'test', name: 'limit', text: '5' }))).toBe(false);
    expect(isDirty(reduce(opened, { type: 'edit', patch: { tags: 'a,b c,' } }))).toBe(false);
  });

  it('is a number field with something else in it', () => {
    expect(isDirty(reduce(opened, { type: 'parameter', name: 'limit', patch: { maximum: 'many' } }))).toBe(true);
    expect(isDirty(reduce(opened, { type: 'parameter', name: 'limit', patch: { maximum: '100.0' } }))).toBe(false);
  });

  it('stays for what was typed while a save was under way', () => {
    const sent = reduce(opened, { type: 'edit', patch: { title: 'Sent' } });
    const later = reduce(sent, { type: 'edit', patch: { title: 'Later' } });
    const saved = reduce(later, { type: 'saved', tool: { ...tool, title: 'Sent', version: 8 } });
    expect(saved.form.title).toBe('Later');
    expect(isDirty(saved)).toBe(true);
    expect(isDirty(reduce(sent, { type: 'saved', tool: { ...tool, title: 'Sent', version: 8 } }))).toBe(false);
  });

  it('sees every kind of change', () => {
    const form = fromTool(tool);
    expect(sameTool(form, { ...form, annotations: { ...form.annotations, idempotent: false } })).toBe(false);
    expect(sameTool(form, { ...form, content: {} })).toBe(false);
    expect(sameTool(form, { ...form, parameters: form.parameters.slice(1) })).toBe(false);
    expect(sameTool(form, { ...form, is_enabled: false })).toBe(false);
  });
});

describe('values as text', () => {
  it.each([
    ['12', 'integer', 12],
    ['9007199254740993', 'integer', '9007199254740993'],
    ['1e3', 'number', 1000],
    ['twelve', 'integer', 'twelve'],
    ['true', 'boolean', true],
    ['12', 'string', '12'],
    [' x ', 'string', ' x '],
    ['""', 'string', ''],
    ['2026-01-01', 'date', '2026-01-01'],
    ['', 'string', undefined],
  ] as const)('%j as %s', (text, type, want) => {
    expect(parsedValue(text, type, 'string')).toEqual(want);
  });

  it.each([
    ['1, 2', 'integer', [1, 2]],
    ['a, b', 'string', ['a', 'b']],
    ['["a, b", "c"]', 'string', ['a, b', 'c']],
    ['a,,', 'string', ['a']],
  ] as const)('the list %j', (text, type, want) => {
    expect(listOf(text, type)).toEqual(want);
  });

  it.each([[['a', 'b']], [['a, b', 'c']], [[' a', '']], [['[x']], [[1, 2.5]], [[true, false]]])(
    'reads %j back',
    (values) => {
      const type = typeof values[0] === 'number' ? 'number' : typeof values[0] === 'boolean' ? 'boolean' : 'string';
      expect(listOf(textOfList(values), type)).toEqual(values);
    },
  );

  it.each([['x'], [''], [5], [false]])('reads %j back', (value) => {
    const type = typeof value === 'number' ? 'integer' : typeof value === 'boolean' ? 'boolean' : 'string';
    expect(parsedValue(textOf(value), type, 'string')).toEqual(value);
  });

  it('leaves an argument out where nothing was typed', () => {
    const parameters = [blankParameter('a'), blankParameter('b', 'integer')];
    expect(argumentsOf(parameters, { a: '', b: '4', old: '1' })).toEqual({ b: 4 });
  });
});

describe('messages', () => {
  const form = fromTool(tool);
  const fields = byName(
    { name: 'taken', 'parameters.0.enum_values.1': 'wrong', 'parameters.9.name': 'far' },
    form.parameters,
  );

  it('go by the names of parameters', () => {
    expect(fields).toEqual({ name: 'taken', 'parameters.limit.enum_values': 'wrong', 'parameters.9.name': 'far' });
  });

  it('end when their own field changes', () => {
    expect(Object.keys(stillTrue(fields, form, { ...form, title: 'x' }))).toHaveLength(3);
    expect(Object.keys(stillTrue(fields, form, { ...form, name: 'x' }))).not.toContain('name');
    const parameters = form.parameters.map((p) => (p.name === 'limit' ? { ...p, enum_values: '1' } : p));
    expect(Object.keys(stillTrue(fields, form, { ...form, parameters }))).not.toContain('parameters.limit.enum_values');
  });

  it('do not blame an empty field before somebody tried to save', () => {
    const problem = { severity: 'error', code: 'invalid', start: 0, end: 0 } as const;
    const definition = {
      definition: {},
      tokens: 1,
      problems: [
        { ...problem, field: 'name', message: 'a name is needed' },
        { ...problem, field: 'parameters.1.default_value', message: 'not a date' },
        { ...problem, field: 'sql_query', message: 'shown in the editor' },
      ],
    };
    const draft = { ...toDraft(form), name: '' };
    expect(liveErrors(definition, draft, false)).toEqual({ 'parameters.since.default_value': 'Not a date' });
    expect(liveErrors(definition, draft, true)).toHaveProperty('name');
  });
});
