import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';
import { mockAPI } from './dev/vite.mjs';

// The app serves dist under a content security policy of scripts, styles and pictures
// from itself alone, and with Trusted Types: nothing may be inlined, neither data: nor
// style elements made by scripts.
export default defineConfig(({ mode }) => ({
  plugins: [svelte(), ...(mode === 'mock' ? [mockAPI()] : [])],
  build: {
    outDir: 'dist',
    assetsDir: 'assets',
    assetsInlineLimit: 0,
    emptyOutDir: true,
    target: ['chrome123', 'firefox120', 'safari17.5'], // from where light-dark() works
    modulePreload: { polyfill: false },
    manifest: 'manifest.json', // what tools/weigh.mjs reads
    sourcemap: false,
  },
  server: {
    // npm run dev talks to a running app: SOTTO_APP=http://127.0.0.1:PORT
    proxy: process.env.SOTTO_APP ? { '/api': { target: process.env.SOTTO_APP, changeOrigin: true } } : undefined,
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
}));
