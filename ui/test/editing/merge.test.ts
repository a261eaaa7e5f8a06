import { describe, expect, it } from 'vitest';
import { changesBetween } from '@/editing/fields';
import { clearChoices, merge, mergeFields } from '@/editing/merge';
import { reduce, start } from '@/pages/tools/builder-state';
import { toolFields } from '@/pages/tools/fields';
import { blankForm, blankParameter, type ToolForm } from '@/pages/tools/form';

const fields = toolFields((id) => (id === 'c1' ? 'Shop' : id));
const base: ToolForm = {
  ...blankForm('c1'),
  name: 'top',
  description: 'Old.',
  sql_query: 'SELECT :a, :b',
  parameters: [blankParameter('a'), blankParameter('b')],
  tags: 'x',
};
const parameter = (form: ToolForm, name: string, patch: object): ToolForm => ({
  ...form,
  parameters: form.parameters.map((p) => (p.name === name ? { ...p, ...patch } : p)),
});

describe('merging two versions', () => {
  const mine = { ...parameter(base, 'a', { description: 'mine' }), title: 'Mine', description: 'Mine.' };
  const theirs = { ...parameter(base, 'b', { is_required: false }), description: 'Theirs.', tags: 'x, y' };
  const found = mergeFields(fields, base, mine, theirs);

  it('says for each field who changed it', () => {
    expect(Object.fromEntries(found.map((f) => [f.key, f.changed]))).toEqual({
      title: 'mine',
      description: 'both',
      tags: 'theirs',
      'parameters.a': 'mine',
      'parameters.b': 'theirs',
    });
  });

  it('decides everything that only one side changed', () => {
    const merged = merge(fields, mine, theirs, clearChoices(found));
    expect(merged).toEqual({
      ...base,
      title: 'Mine',
      description: 'Mine.',
      tags: 'x, y',
      parameters: [
        { ...blankParameter('a'), description: 'mine' },
        { ...blankParameter('b'), is_required: false },
      ],
    });
  });

  it('takes theirs only where somebody chose it', () => {
    expect(merge(fields, mine, theirs, {})).toEqual(mine);
    expect(merge(fields, mine, theirs, { description: 'theirs' }).description).toBe('Theirs.');
  });

  it('is silent about what both changed in the same way', () => {
    expect(
      mergeFields(fields, base, { ...mine, description: 'Same.' }, { ...theirs, description: 'Same.' }).map(
        (f) => f.key,
      ),
    ).not.toContain('description');
  });

  it('adds their new parameter and drops the one they removed', () => {
    const other = { ...base, parameters: [blankParameter('b'), blankParameter('c', 'integer')] };
    const choices = clearChoices(mergeFields(fields, base, base, other));
    expect(choices).toEqual({ 'parameters.a': 'theirs', 'parameters.c': 'theirs' });
    expect(merge(fields, base, other, choices).parameters.map((p) => p.name)).toEqual(['b', 'c']);
  });

  it('merges single annotations', () => {
    const a = { ...base, annotations: { ...base.annotations, idempotent: true } };
    const b = { ...base, annotations: { ...base.annotations, open_world: true } };
    const merged = merge(fields, a, b, clearChoices(mergeFields(fields, base, a, b)));
    expect(merged.annotations).toMatchObject({ idempotent: true, open_world: true });
  });
});

describe('a restored draft', () => {
  it('stays on the version it was begun from, so that a newer one shows as a conflict', () => {
    const now = start({ version: 9, form: { ...base, title: 'Newer' } });
    const draft = { ...base, title: 'Draft' };
    const restored = reduce(now, { type: 'replace', form: draft, base: { version: 7, form: base }, tests: { a: '1' } });
    expect(restored.base.version).toBe(7);
    expect(restored.form).toEqual(draft);
    expect(restored.tests).toEqual({ a: '1' });
    expect(mergeFields(fields, restored.base.form, restored.form, now.form)).toMatchObject([
      { key: 'title', changed: 'both' },
    ]);
  });
});

describe('differences in words', () => {
  it('lists fields in the order of the form and names parameters', () => {
    const after = { ...parameter(base, 'b', { minimum: '1', param_type: 'integer' }), name: 'best', is_enabled: false };
    const changes = changesBetween(fields, base, after);
    expect(changes.map((c) => c.label)).toEqual(['Name', 'Enabled', 'Parameter b']);
    expect(changes.at(-1)?.after).toBe('type: integer\nrequired: yes\nminimum: 1');
  });

  it('shows a connection by its name and a removed parameter as nothing', () => {
    const [connection, parameters] = changesBetween(
      fields,
      { ...base, connection_id: 'c2' },
      { ...base, parameters: [] },
    );
    expect(connection).toMatchObject({ label: 'Connection', before: 'c2', after: 'Shop' });
    expect(parameters).toMatchObject({ label: 'Parameter a', after: '' });
  });

  it('reads what a draft kept, and nothing of another shape', () => {
    expect(fields.parse(JSON.parse(JSON.stringify(base)))).toEqual(JSON.parse(JSON.stringify(base)));
    expect(fields.parse({ ...base, sql_query: undefined })).toBeUndefined();
    expect(fields.parse({ ...base, parameters: [{ name: 'a' }] })).toBeUndefined();
    expect(fields.parse(null)).toBeUndefined();
  });
});
