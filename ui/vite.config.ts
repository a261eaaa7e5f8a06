import { fileURLToPath } from 'node:url';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** Preloads the one UI font; its hashed name is only known after bundling. */
const preloadFont: Plugin = {
  name: 'preload-font',
  transformIndexHtml: {
    order: 'post',
    handler(_html, ctx) {
      const font = Object.keys(ctx.bundle ?? {}).find((f) => f.includes('inter-latin-wght') && f.endsWith('.woff2'));
      if (!font) return [];
      const attrs = { rel: 'preload', as: 'font', type: 'font/woff2', href: `/${font}`, crossorigin: '' };
      return [{ tag: 'link', injectTo: 'head', attrs }];
    },
  },
};

/** Serves auth.html for the two addresses that have no shell, as the binary does. */
const authPages: Plugin = {
  name: 'auth-pages',
  configureServer(server) {
    server.middlewares.use((req, _res, next) => {
      if (/^\/(login|setup)(\?|$)/.test(req.url ?? '')) req.url = '/auth.html';
      next();
    });
  },
};

const backend = process.env.STUDIO_DEV_BACKEND ?? 'http://127.0.0.1:3000';

export default defineConfig({
  plugins: [react(), tailwindcss(), preloadFont, authPages],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  server: { proxy: { '/api': { target: backend, changeOrigin: false } } },
  build: {
    target: 'es2022',
    cssTarget: ['chrome123', 'firefox121', 'safari17.5'],
    // The CSP allows no data: fonts and no inline scripts, so nothing may be inlined.
    assetsInlineLimit: 0,
    cssCodeSplit: true,
    sourcemap: false,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    manifest: true,
    rollupOptions: { input: { app: 'index.html', auth: 'auth.html' } },
  },
  test: { include: ['test/**/*.test.ts', 'test/**/*.test.tsx'], environment: 'node' },
});
