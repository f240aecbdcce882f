// make screens: pictures instead of tests, with the same stage.
import { defineConfig, mergeConfig } from 'vitest/config';
import tests from './vitest.config';

export default mergeConfig({ ...tests, test: { ...tests.test, include: [] } }, defineConfig({ test: { include: ['screens.pictures.ts'] } }));
