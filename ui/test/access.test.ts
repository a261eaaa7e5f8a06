import { expect, test } from 'vitest';
import { placeOf, places } from '@/app/nav';
import { rank } from '@/app/palette-index';
import { shellQuote } from '@/lib/shell-quote';
import { readUserAgent } from '@/pages/account/user-agent';
import { verifiedFacts } from '@/pages/security/verified';
import { type ChildExit, childTitle, exitText, keepers, layerTitle } from '@/pages/security/words';
import { needsRotation } from '@/pages/settings/encryption';

test.each([
  ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox on Linux'],
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0',
    'Edge on Windows',
  ],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Safari/605.1.15',
    'Safari on macOS',
  ],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0.0.0 Mobile/15E148 Safari/604.1',
    'Chrome on iPhone',
  ],
  [
    'Mozilla/5.0 (Linux; Android 16; SM-S931B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile Safari/537.36',
    'Samsung Internet on Android',
  ],
  ['Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/140.0.0.0 Safari/537.36', 'Chrome on Linux'],
  ['Mozilla/5.0 (Windows NT 10.0) Something', 'A browser on Windows'],
  ['curl/8.14.1', 'curl'],
  ['python-requests/2.32', 'python-requests'],
  ['<img src=x>', 'An unknown program'],
  ['', 'An unknown program'],
])('%s', (agent, words) => expect(readUserAgent(agent)).toBe(words));

test.each([
  ['/var/lib/studio/encryption.key', '/var/lib/studio/encryption.key'],
  ['/srv/my studio/key', "'/srv/my studio/key'"],
  ["/srv/o'brien/key", "'/srv/o'\\''brien/key'"],
  ['', "''"],
])('%j in a shell', (text, quoted) => expect(shellQuote(text)).toBe(quoted));

const ended: ChildExit = {
  at: '2026-03-02T09:00:00Z',
  role: 'workbench',
  revision: 0,
  connection: { id: 'c1', name: 'Billing' },
  pid: 7,
  code: -1,
  signal: 'killed',
  reason: '',
  sigsys: false,
};

test('how a process ended', () => {
  expect(exitText(ended)).toBe('Workbench of Billing: ended by killed');
  expect(exitText({ ...ended, reason: 'more memory than its limit' })).toContain('more memory than its limit');
  expect(exitText({ ...ended, sigsys: true, reason: 'x' })).toContain('system call that it must not make');
  expect(exitText({ ...ended, role: 'live', revision: 3, signal: '', code: 2 })).toBe(
    'Live server, revision 3: ended with code 2',
  );
  expect(childTitle({ ...ended, connection: { id: '', name: '' } })).toBe('Workbench of an unsaved connection');
});

test('names that the page does not know stay what the server says', () => {
  expect(layerTitle('seccomp')).toBe('System-call filter');
  expect(layerTitle('some_new_layer')).toBe('some new layer');
  expect(keepers(['cgroup', 'something'])).toEqual(['the kernel (control group)', 'something']);
});

test('what the kernel says, in words', () => {
  const zero = '0000000000000000';
  const verified = {
    threads: 9,
    seccomp: 2,
    seccomp_filters: 1,
    no_new_privs: true,
    uid: 64_166,
    gid: 64_166,
    cap_eff: zero,
    cap_prm: zero,
    cap_inh: zero,
    cap_amb: zero,
    cap_bnd: zero,
    rlimits: { core: 0, nofile: 512 },
    problem: '',
  };
  const words = (part: Partial<typeof verified>) => Object.fromEntries(verifiedFacts({ ...verified, ...part }));
  expect(words({})).toMatchObject({
    Capabilities: 'none',
    'Bounding set': 'empty',
    'System-call filter': 'on, 1 filter',
    'Core file': 'none',
    'Open files': '512',
  });
  expect(words({})).not.toHaveProperty('Processes');
  expect(words({ cap_amb: '0000000000000001', cap_eff: '0000000000000401' }).Capabilities).toBe('effective 0x401');
  expect(words({ seccomp: 0 })['System-call filter']).toBe('none');
});

test('a key from the environment has to be rotated only while another one that is there still seals', () => {
  const key = (current: boolean, present: boolean, secrets: number) => ({ id: 'a', current, present, secrets });
  const state = (...keys: ReturnType<typeof key>[]) => ({
    source: 'environment' as const,
    keys,
    total: 9,
    last_rotated_at: null,
  });
  expect(needsRotation(state(key(true, true, 9)))).toBe(false);
  expect(needsRotation(state(key(true, true, 2), key(false, true, 0)))).toBe(false);
  expect(needsRotation(state(key(true, true, 2), key(false, false, 3)))).toBe(false);
  expect(needsRotation(state(key(true, true, 2), key(false, true, 7)))).toBe(true);
});

test('an address has the name of its place, else of its page', () => {
  expect(placeOf('/settings/encryption')?.label).toBe('Encryption');
  expect(placeOf('/security?tab=sandbox')?.label).toBe('Sandbox');
  expect(placeOf('/account')?.label).toBe('Account');
  expect(placeOf('/settings/general')?.label).toBe('Settings');
  expect(placeOf('/no/such/page')).toBeUndefined();
});

test.each([
  ['2fa', 'Two-factor'],
  ['totp', 'Two-factor'],
  ['seccomp', 'Sandbox'],
  ['rotate', 'Encryption'],
  ['devices', 'Sessions'],
])('the palette finds %s', (query, label) => {
  const commands = places.map((p) => ({
    id: p.address,
    label: p.label,
    synonyms: p.synonyms,
    group: 'Pages' as const,
    run: () => undefined,
  }));
  expect(rank(commands, query, [])[0]?.items[0]?.label).toBe(label);
});
