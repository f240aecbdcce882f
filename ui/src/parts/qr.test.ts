import { expect, test } from 'vitest';
import { qrPath } from './qr';

test('runs of dark modules become rectangles', () => {
  const rows = Array.from({ length: 21 }, (_, y) => (y === 0 ? '110' + '0'.repeat(17) + '1' : '0'.repeat(21)));
  expect(qrPath(rows.join('\n'))).toEqual({ size: 21, path: 'M0 0h2v1h-2zM20 0h1v1h-1z' });
});

test('what is no code is none', () => {
  for (const s of ['', '01\n10', '1'.repeat(21), Array(21).fill('1'.repeat(20)).join('\n'), Array(21).fill('2'.repeat(21)).join('\n'), Array(200).fill('1'.repeat(200)).join('\n')]) {
    expect(qrPath(s)).toBeNull();
  }
});
