import { expect, test } from 'vitest';
import { parts } from './marks';

test('a snippet is cut at its marks', () => {
  expect(parts('the blue door', [4, 8])).toEqual([
    { text: 'the ', match: false }, { text: 'blue', match: true }, { text: ' door', match: false },
  ]);
  expect(parts('ab', [0, 1, 1, 2])).toEqual([{ text: 'a', match: true }, { text: 'b', match: true }]);
  expect(parts('abc', [])).toEqual([{ text: 'abc', match: false }]);
});

test('marks that make no sense are none', () => {
  expect(parts('abc', [2, 1])).toEqual([{ text: 'abc', match: false }]);
  expect(parts('abc', [1, 99])).toEqual([{ text: 'a', match: false }, { text: 'bc', match: true }]);
  expect(parts('abc', [1, 2, 0, 1])).toEqual([{ text: 'a', match: false }, { text: 'b', match: true }, { text: 'c', match: false }]);
  expect(parts('', [0, 1])).toEqual([]);
});
