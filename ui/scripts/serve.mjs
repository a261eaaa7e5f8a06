// Serves dist/ the way the binary does: precompressed files, immutable assets, the strict CSP, the theme from a
// cookie. The audit uses it with a fixture API; `npm run serve` passes /api on to a running studio.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { csp } from './csp.mjs';

const built = fileURLToPath(new URL('../dist/', import.meta.url));
const types = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

function sendFile(req, res, dist, name) {
  const file = path.join(dist, name);
  if (!file.startsWith(dist) || !fs.existsSync(file)) {
    res.writeHead(404).end();
    return;
  }
  const accepts = String(req.headers['accept-encoding'] ?? '');
  const variant = accepts.includes('br') && fs.existsSync(`${file}.br`) ? '.br' : '';
  res.setHeader('Content-Type', types[path.extname(name)] ?? 'application/octet-stream');
  res.setHeader('Cache-Control', name.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache');
  if (variant) res.setHeader('Content-Encoding', 'br');
  res.end(fs.readFileSync(file + variant));
}

function sendPage(req, res, dist, pathname) {
  const theme = /(?:^|; )theme=(light|dark|system)/.exec(req.headers.cookie ?? '')?.[1] ?? 'system';
  const page = /^\/(login|setup)$/.test(pathname) ? 'auth.html' : 'index.html';
  const html = fs.readFileSync(path.join(dist, page), 'utf8');
  res.setHeader('Content-Security-Policy', csp);
  res.setHeader('Content-Type', 'text/html; charset=utf-8');
  res.setHeader('Cache-Control', 'no-cache');
  res.end(html.replace('data-theme="system"', `data-theme="${theme}"`));
}

/** `api(req, res, url)` answers everything below /api; `dist` is the folder of the build. */
export function createStaticServer(api, dist = built) {
  return http.createServer((req, res) => {
    const url = new URL(req.url ?? '/', 'http://localhost');
    res.setHeader('X-Content-Type-Options', 'nosniff');
    res.setHeader('X-Frame-Options', 'DENY');
    res.setHeader('Referrer-Policy', 'strict-origin-when-cross-origin');
    if (url.pathname.startsWith('/api/')) api(req, res, url);
    else if (/^\/(assets\/|favicon\.svg$)/.test(url.pathname)) sendFile(req, res, dist, url.pathname);
    else sendPage(req, res, dist, url.pathname);
  });
}

function passOn(backend) {
  return (req, res, url) => {
    const options = { method: req.method, headers: { ...req.headers, host: backend.host } };
    const out = http.request(new URL(url.pathname + url.search, backend), options, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
    });
    out.on('error', () => res.writeHead(502).end());
    req.pipe(out);
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const backend = new URL(process.env.STUDIO_DEV_BACKEND ?? 'http://127.0.0.1:3000');
  const port = Number(process.argv[2] ?? 4399);
  createStaticServer(passOn(backend)).listen(port, '127.0.0.1', () => {
    console.log(`http://127.0.0.1:${port} → ${backend.origin}`);
  });
}
