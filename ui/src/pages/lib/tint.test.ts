import { expect, test } from 'vitest';
import { tintOf } from './tint';

test('tints are those of the app', () => {
  // made by hash/fnv: 1 + New32a over the bytes, modulo 6
  const cases: [string, number][] = [['', 2], ['00', 4], ['b0b0', 2], ['0123456789abcdef', 4], ['ff00ff00ff', 5]];
  for (const [account, tint] of cases) expect(tintOf(account), account).toBe(tint);
  expect(tintOf(undefined)).toBe(tintOf(''));
});
