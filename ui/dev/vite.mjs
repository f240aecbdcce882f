// The mock of the API, for npm run dev:mock alone: see mock.mjs. With a cookie mock=open (or
// new, invited, nokeyring, locked, empty) the pages' own answers come first: see pages.mjs.
export function mockAPI() {
  return {
    name: 'mock-api',
    async configureServer(server) {
      const { handle } = await import('./mock.mjs');
      const pages = await import('./pages.mjs');
      server.middlewares.use('/api/v1', async (req, res) => {
        if (!(await pages.handle(req, res))) await handle(req, res);
      });
    },
  };
}
