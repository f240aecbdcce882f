// The tests in a real browser: make e2e. They start real servers and real apps, built
// before, and need Chromium. Files run one after another: each has several processes.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['**/*.e2e.ts'],
    environment: 'node',
    pool: 'forks',
    maxWorkers: Number(process.env.E2E_WORKERS ?? 2),
    testTimeout: 180_000,
    hookTimeout: 180_000,
    bail: 0,
    retry: 0,
    passWithNoTests: false,
    allowOnly: !process.env.CI,
    reporters: ['default'],
    slowTestThreshold: 20_000,
  },
});
