import { describe, expect, test } from 'vitest';
import { type Command, rank, recall, score } from '@/app/palette-index';
import { judge } from '@/auth/password-rules';
import { backoff } from '@/lib/backoff';
import { ariaShortcut, isPlain, keyLabels, pressOf } from '@/lib/keys';
import { lineDiff } from '@/lib/line-diff';
import { checklist } from '@/pages/home/checklist';

const key = (k: string, mods: Partial<Record<'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey', boolean>> = {}) => ({
  key: k,
  ctrlKey: false,
  metaKey: false,
  shiftKey: false,
  altKey: false,
  ...mods,
});

describe('keys', () => {
  test.each([
    [key('k', { ctrlKey: true }), false, 'mod+k'],
    [key('k', { metaKey: true }), true, 'mod+k'],
    [key('k', { ctrlKey: true }), true, 'ctrl+k'],
    [key('D', { ctrlKey: true, shiftKey: true }), false, 'mod+shift+d'],
    [key('?', { shiftKey: true }), false, '?'],
    [key('X', { shiftKey: true }), false, 'shift+x'],
    [key('Enter', { ctrlKey: true }), false, 'mod+enter'],
  ])('%o is a press', (press, apple, text) => expect(pressOf(press, apple)).toBe(text));

  test('labels follow the keyboard', () => {
    expect(keyLabels('mod+shift+d', false)).toEqual(['Ctrl', 'Shift', 'D']);
    expect(keyLabels('mod+enter', true)).toEqual(['⌘', '↵']);
    expect(keyLabels('g c', false)).toEqual(['G', 'C']);
    expect([ariaShortcut('mod+k', true), ariaShortcut('g c', true)]).toEqual(['Meta+K', undefined]);
  });

  test('plain keys are those that type', () => {
    expect(['?', 'c', 'shift+x', 'mod+k', 'alt+f'].map(isPlain)).toEqual([true, true, true, false, false]);
  });
});

describe('line diff', () => {
  const show = (a: string, b: string, context?: number) =>
    lineDiff(a, b, context).map((l) => `${l.op}${l.text}|${l.old ?? ''}|${l.new ?? ''}`);

  test('finds the least change', () => {
    expect(show('a\nb\nc\nd', 'a\nx\nc\nd\ne')).toEqual([' a|1|1', '-b|2|', '+x||2', ' c|3|3', ' d|4|4', '+e||5']);
  });
  test('of equal, empty and disjoint texts', () => {
    expect(show('a\nb', 'a\nb')).toEqual([' a|1|1', ' b|2|2']);
    expect(show('', 'a')).toEqual(['+a||1']);
    expect(show('a', '')).toEqual(['-a|1|']);
    expect(show('', '')).toEqual([]);
  });
  test('leaves out what is far from a change', () => {
    expect(show('1\n2\n3\n4\n5', '1\n2\n3\n4\nx', 1)).toEqual([' 4|4|4', '-5|5|', '+x||5']);
  });
  test('applied to the old text always gives the new one', () => {
    let seed = 7;
    const next = () => {
      seed = (seed * 48271) % 2147483647;
      return seed;
    };
    const text = () => Array.from({ length: next() % 12 }, () => 'abcd'[next() % 4]).join('\n');
    for (let n = 0; n < 300; n++) {
      const [a, b] = [text(), text()];
      const lines = lineDiff(a, b);
      expect(
        lines
          .filter((l) => l.op !== '+')
          .map((l) => l.text)
          .join('\n'),
      ).toBe(a);
      expect(
        lines
          .filter((l) => l.op !== '-')
          .map((l) => l.text)
          .join('\n'),
      ).toBe(b);
    }
  });
  test('of very long texts stays quick', () => {
    const long = (c: string) => Array.from({ length: 5_000 }, (_, i) => `${c}${i}`).join('\n');
    expect(lineDiff(long('a'), long('b'))).toHaveLength(10_000);
  });
});

describe('palette', () => {
  const command = (id: string, label: string, group: Command['group'], synonyms = ''): Command => ({
    id,
    label,
    group,
    synonyms,
    run: () => undefined,
  });
  const all = [
    command('save', 'Save tool', 'This page'),
    command('deploy', 'Open Deploy', 'Actions', 'publish'),
    command('home', 'Go to Home', 'Pages'),
    command('t1', 'top_customers', 'Tools', 'deploy help'),
  ];
  const ids = (query: string, recent: string[] = []) =>
    rank(all, query, recent).map((g) => [g.value, ...g.items.map((c) => c.id)]);

  test('shows actions first and no entities before something is typed', () => {
    expect(ids('')).toEqual([
      ['This page', 'save'],
      ['Actions', 'deploy'],
      ['Pages', 'home'],
    ]);
  });
  test('puts what was used after the page and does not repeat it', () => {
    expect(ids('', ['home', 'gone', 't1'])).toEqual([
      ['This page', 'save'],
      ['Recent', 'home', 't1'],
      ['Actions', 'deploy'],
    ]);
  });
  test('finds synonyms, and names before them', () => {
    expect(ids('deploy')).toEqual([
      ['Actions', 'deploy'],
      ['Tools', 't1'],
    ]);
    expect(ids('publish')).toEqual([['Actions', 'deploy']]);
    expect(ids('customers')).toEqual([['Tools', 't1']]);
    expect(ids('zzz')).toEqual([]);
  });
  test('takes signs literally', () => {
    expect(score(command('x', 'a.b', 'Tools'), '.*')).toBe(0);
    expect(() => rank(all, '([', [])).not.toThrow();
  });
  test('remembers five, each once', () => {
    expect(recall(['a', 'b', 'c', 'd', 'e'], 'c')).toEqual(['c', 'a', 'b', 'd', 'e']);
    expect(recall(['a', 'b', 'c', 'd', 'e', ''], 'f')).toEqual(['f', 'a', 'b', 'c', 'd']);
  });
});

describe('password rules', () => {
  test.each([
    ['', 'admin'],
    ['1234567', 'admin'],
    ['password', 'admin'],
    ['Password123!', 'admin'],
    ['aaaaaaaaaaaaaaaa', 'admin'],
    ['        ', 'admin'],
    ['Administrator9', 'administrator9'],
    ['x'.repeat(257), 'admin'],
    ['qwertyuiop', 'admin'],
  ])('%j for %s is refused with its rule', (password, name) => {
    const { broken, level } = judge(password, name);
    expect(broken).toMatch(/^(The|This) password .*\.$|^Choose a password\.$/);
    expect(level).toBe('weak');
  });
  test.each([
    ['kettle-9-orbit', 'fair'],
    ['correct horse battery staple', 'strong'],
    ['pässwörter-überall', 'strong'],
    ['🐙🐳🦀🐌🐛🦋🐞🐝', 'fair'],
  ])('%j is %s', (password, level) => expect(judge(password, 'admin')).toMatchObject({ broken: '', level }));
  test('characters are counted, not code units', () => {
    expect(judge('🐙🐳🦀🐌', 'admin').broken).toContain('has 4 of at least 8');
  });
});

test('the checklist has one next step, the first that is not done', () => {
  const next = (facts: Partial<Parameters<typeof checklist>[0]>) =>
    checklist({ connections: 0, tools: 0, liveRevision: 0, endpoint: '', ...facts })
      .filter((i) => i.next)
      .map((i) => i.id);
  expect(next({})).toEqual(['connect']);
  expect(next({ connections: 1 })).toEqual(['build']);
  expect(next({ connections: 1, tools: 2 })).toEqual(['deploy']);
  expect(next({ connections: 1, tools: 2, liveRevision: 3 })).toEqual(['client']);
  expect(next({ connections: 1, tools: 2, liveRevision: 3, client: { name: 'Cursor', at: '' } })).toEqual([]);
  expect(next({ tools: 2, liveRevision: 3 })).toEqual(['connect']);
});

test('back-off doubles to its limit and spreads', () => {
  expect([0, 1, 2, 10].map((n) => backoff(n, 500, 15_000, 0.5))).toEqual([500, 1000, 2000, 15_000]);
  expect([backoff(0, 500, 15_000, 0), backoff(0, 500, 15_000, 0.999)]).toEqual([450, 550]);
});
