// make bench: figures of the interface, with the same stage as the tests.
import { defineConfig, mergeConfig } from 'vitest/config';
import tests from './vitest.config';

export default mergeConfig({ ...tests, test: { ...tests.test, include: [] } }, defineConfig({ test: { include: ['**/*.bench.ts'] } }));
