import { expect, test } from 'vitest';
import { keepInside, middle, zoomed } from './picture';

test('the square begins in the middle and stays inside', () => {
  expect(middle(400, 300)).toEqual({ x: 50, y: 0, size: 300 });
  expect(keepInside({ x: -10, y: 500, size: 100 }, 400, 300)).toEqual({ x: 0, y: 200, size: 100 });
  expect(keepInside({ x: 0, y: 0, size: 999 }, 400, 300)).toEqual({ x: 0, y: 0, size: 300 });
});

test('zooming keeps the middle', () => {
  expect(zoomed({ x: 100, y: 100, size: 100 }, 50, 400, 300)).toEqual({ x: 125, y: 125, size: 50 });
  expect(zoomed({ x: 0, y: 0, size: 50 }, 100, 400, 300)).toEqual({ x: 0, y: 0, size: 100 });
});
