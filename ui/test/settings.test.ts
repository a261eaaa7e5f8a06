import { describe, expect, test } from 'vitest';
import { changesBetween } from '@/editing/fields';
import { clearChoices, merge, mergeFields } from '@/editing/merge';
import { generalFields, variablesFields } from '@/pages/settings/fields';
import { blankGeneral, generalPatch, type Variable } from '@/pages/settings/values';

const row = (key: number, name: string, value: string, type: Variable['type'] = 'string'): Variable => ({
  key,
  name,
  type,
  value,
});

describe('two people in the general settings', () => {
  const mine = { ...blankGeneral, server_name: 'mine', instructions: 'One.\nTwo.' };
  const theirs = { ...blankGeneral, log_level: 'debug', auth_none_confirmed: true };

  test('each keeps what only they changed, and only that is sent', () => {
    const found = mergeFields(generalFields, blankGeneral, mine, theirs);
    expect(found.map((f) => [f.label, f.changed, f.theirs])).toEqual([
      ['Server name', 'mine', ''],
      ['Instructions for the model', 'mine', ''],
      ['Calls without a token accepted', 'theirs', 'yes'],
      ['Log level', 'theirs', 'debug'],
    ]);
    const merged = merge(generalFields, mine, theirs, clearChoices(found));
    expect(merged).toEqual({ ...mine, log_level: 'debug', auth_none_confirmed: true });
    expect(generalPatch(theirs, merged)).toEqual({ server_name: 'mine', instructions: 'One.\nTwo.' });
  });

  test('a draft of another shape is not taken', () => {
    expect(generalFields.parse({ ...blankGeneral })).toEqual(blankGeneral);
    expect(generalFields.parse({ ...blankGeneral, mcp_rate_limit: 5 })).toBeUndefined();
  });
});

describe('two people in the variables', () => {
  const base = [row(0, 'currency', 'EUR'), row(1, 'tax', '0.19', 'number')];

  test('merge by name, whatever the rows are called inside', () => {
    const mine = [row(0, 'currency', 'USD'), row(1, 'tax', '0.19', 'number'), row(7, 'limit', '5', 'number')];
    const theirs = [row(0, 'currency', 'EUR'), row(1, 'show', 'true', 'boolean')];
    const found = mergeFields(variablesFields, base, mine, theirs);
    expect(found.map((f) => [f.label, f.changed, f.mine, f.theirs])).toEqual([
      ['currency', 'mine', 'USD (text)', 'EUR (text)'],
      ['tax', 'theirs', '0.19 (number)', ''],
      ['limit', 'mine', '5 (number)', ''],
      ['show', 'theirs', '', 'true (yes or no)'],
    ]);
    const merged = merge(variablesFields, mine, theirs, clearChoices(found));
    expect(merged.map((r) => [r.name, r.value])).toEqual([
      ['currency', 'USD'],
      ['limit', '5'],
      ['show', 'true'],
    ]);
    expect(new Set(merged.map((r) => r.key)).size).toBe(3);
  });

  test('the order is no difference, the type is one', () => {
    expect(variablesFields.same(base, [...base].reverse())).toBe(true);
    expect(changesBetween(variablesFields, [row(0, 'tax', '1')], [row(0, 'tax', '1', 'number')])).toMatchObject([
      { label: 'tax', before: '1 (text)', after: '1 (number)' },
    ]);
  });

  test('a draft of another shape is not taken', () => {
    expect(variablesFields.parse(base)).toEqual(base);
    expect(variablesFields.parse([{ ...base[0], type: 'list' }])).toBeUndefined();
    expect(variablesFields.parse({})).toBeUndefined();
  });
});
