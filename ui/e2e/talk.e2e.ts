import { beforeAll, describe, expect, test } from 'vitest';
import type { Person } from './person';
import { staged } from './stage';

describe('two people', () => {
  const stage = staged();
  let ana: Person, bo: Person;
  beforeAll(async () => {
    const server = await stage.server();
    [ana, bo] = await Promise.all([stage.person('ana', server), stage.person('bo', server)]);
    await stage.meet(ana, bo);
  });

  test('write to each other', async () => {
    await ana.opens('bo');
    await bo.opens('ana');
    await bo.reads('hello');
    await ana.writes('hi **there**');
    await bo.reads('hi there');
    await ana.state('hi there', 'read');
    expect(await bo.message('hi there').locator('strong').textContent()).toBe('there');
  });
});
