// Starts the built binary on a free port with a data directory of its own, and speaks its admin API as a script would.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const binary = new URL('../../studio', import.meta.url).pathname;

/** A running studio. `log` grows with what it prints; `stop()` ends it and removes its data unless `keep` is set. */
export class Studio {
  log = '';
  cookie = '';

  static async start({ env = {}, dir, keep = false } = {}) {
    const s = new Studio();
    s.dir = dir ?? mkdtempSync(join(tmpdir(), 'studio-e2e-'));
    s.keep = keep;
    s.process = spawn(binary, ['serve'], {
      env: {
        PATH: process.env.PATH,
        STUDIO_DATA_DIR: s.dir,
        STUDIO_ADDR: '127.0.0.1:0', // a free one, which the studio prints
        STUDIO_API_ADDR: 'off',
        STUDIO_MCP_ADDR: 'off',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [s.process.stdout, s.process.stderr]) stream.on('data', (b) => { s.log += b; });
    s.ended = new Promise((done) => s.process.once('exit', (code, signal) => done({ code, signal })));
    process.once('exit', s.abandon);
    try {
      s.base = await s.until(() => / is at (http:\/\/[\d.:]+)\n/.exec(s.log)?.[1], 'the address of the studio');
      await s.until(async () => (await fetch(`${s.base}/api/ready`)).ok, 'the studio to be ready');
    } catch (e) {
      await s.stop('SIGKILL'); // nobody else knows it yet
      throw e;
    }
    return s;
  }

  /** Waits for a condition; the log explains a failure. */
  async until(condition, what, ms = 60_000) {
    const end = Date.now() + ms;
    let last;
    while (Date.now() < end) {
      if (this.process.exitCode !== null || this.process.signalCode !== null) break;
      try {
        const value = await condition();
        if (value) return value;
      } catch (e) {
        last = e;
      }
      await new Promise((r) => setTimeout(r, 50));
    }
    throw new Error(`waited for ${what}: ${last ?? 'did not happen'}\n${this.log}`);
  }

  /** The one-time code of the setup link. */
  async setupCode() {
    return this.until(() => /setup#code=([\w-]+)/.exec(this.log)?.[1], 'the setup link');
  }

  async request(method, path, body, headers = {}) {
    const res = await fetch(`${this.base}${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...(this.cookie ? { cookie: this.cookie } : {}), ...headers },
      body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
      redirect: 'manual',
    });
    const set = res.headers.getSetCookie?.() ?? [];
    if (set.length) this.cookie = set.map((c) => c.split(';')[0]).join('; ');
    const text = await res.text();
    let json;
    try { json = text ? JSON.parse(text) : null; } catch { json = undefined; }
    return { status: res.status, headers: res.headers, text, json };
  }

  /** A call of the admin API that must succeed. */
  async api(method, path, body) {
    const res = await this.request(method, `/api/v1/${path}`, body);
    if (res.status >= 300) throw new Error(`${method} ${path}: ${res.status} ${res.text}`);
    return res.json;
  }

  /** Creates the admin and signs in. */
  async setup(username = 'admin', password = randomBytes(12).toString('hex')) {
    this.username = username;
    this.password = password;
    return this.api('POST', 'auth/setup', { username, password, setup_code: await this.setupCode() });
  }

  /** Deploys and waits until the revision serves. */
  async deploy() {
    const { revision } = await this.api('POST', 'deploy', { accept_warnings: true });
    return this.until(async () => {
      const s = await this.api('GET', 'deploy/status');
      if (s.status === 'error' || s.last_failed?.revision === revision) throw new Error(JSON.stringify(s));
      return s.status === 'running' && s.revision === revision && s;
    }, `revision ${revision} to serve`);
  }

  async stop(signal = 'SIGTERM') {
    if (this.process.exitCode === null) this.process.kill(signal);
    const how = await this.ended;
    process.off('exit', this.abandon);
    if (!this.keep) rmSync(this.dir, { recursive: true, force: true });
    return how;
  }

  /** For a test that ends without `stop()`: nothing of the studio outlives it. */
  abandon = () => {
    this.process.kill('SIGKILL');
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 10 });
  };
}
