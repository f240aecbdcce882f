// make screens: every screen into docs/screens.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { root: import.meta.dirname, include: ['screens.shot.ts'], environment: 'node', pool: 'forks', maxWorkers: 1, testTimeout: 1_200_000, hookTimeout: 300_000 },
});
