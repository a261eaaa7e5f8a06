import { expect, test } from 'vitest';
import { authPaths, loginPath, nextPath, paths, serverPaths } from '@/lib/paths';

test('every address', () => {
  expect({ paths, authPaths, serverPaths }).toMatchInlineSnapshot(`
    {
      "authPaths": {
        "login": "/login",
        "setup": "/setup",
      },
      "paths": {
        "account": "/account",
        "connect": "/connect",
        "connection": "/connections/$id",
        "connectionNew": "/connections/new",
        "connections": "/connections",
        "deploy": "/deploy",
        "home": "/",
        "security": "/security",
        "settings": "/settings/$section",
        "tool": "/tools/$id",
        "toolNew": "/tools/new",
        "tools": "/tools",
      },
      "serverPaths": {
        "deployLogs": "/api/v1/deploy/logs",
        "events": "/api/v1/events",
        "health": "/api/health",
        "reference": "/api/docs",
      },
    }
  `);
});

test('sign-in returns to where it came from', () => {
  expect(loginPath('/')).toBe('/login');
  const there = loginPath('/deploy?tab=logs');
  expect(there).toBe('/login?next=%2Fdeploy%3Ftab%3Dlogs');
  expect(nextPath(there.slice('/login'.length), 'https://studio.test')).toBe('/deploy?tab=logs');
});

test.each([
  'https://evil.test/',
  '//evil.test/',
  '/\\evil.test/',
  '/\t/evil.test',
  'javascript:alert(1)',
  '\\\\evil.test',
  '/login',
  '/login?next=/x',
  '/setup',
  '',
])('sign-in does not go to %j', (next) => {
  expect(nextPath(`?next=${encodeURIComponent(next)}`, 'https://studio.test')).toBe('/');
});
