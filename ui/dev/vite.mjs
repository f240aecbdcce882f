// The mock of the API, for npm run dev:mock alone: see mock.mjs.
export function mockAPI() {
  return {
    name: 'mock-api',
    async configureServer(server) {
      const { handle } = await import('./mock.mjs');
      server.middlewares.use('/api/v1', handle);
    },
  };
}
