// What the other tests stand on: however a test ends, nothing of its studio stays, neither a process nor its files.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Studio } from './studio.mjs';

test('a studio that does not start', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'studio-e2e-'));
  await assert.rejects(Studio.start({ dir, env: { STUDIO_ADDR: 'nowhere' } }), /waited for the address of the studio.*STUDIO_ADDR/s);
  assert.equal(existsSync(dir), false);
});

test('a studio that nobody stopped', () => {
  const dir = mkdtempSync(join(tmpdir(), 'studio-e2e-'));
  const script = `import { Studio } from ${JSON.stringify(new URL('studio.mjs', import.meta.url).href)};
    const { process: { pid } } = await Studio.start({ dir: ${JSON.stringify(dir)} });
    console.log(pid);
    process.exit();`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  assert.match(stdout, /^\d+\n$/, stderr);
  assert.equal(existsSync(dir), false);
  assert.equal(existsSync(`/proc/${stdout.trim()}/exe`), false);
});
