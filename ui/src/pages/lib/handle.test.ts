import { expect, test } from 'vitest';
import { isHandle, isName, linkIn, nameOf } from './handle';

test('a name for a handle is made of what somebody wants to be called', () => {
  const cases: [string, string][] = [
    ['bo', 'bo'], ['Bo Larsen', 'bo.larsen'], ['  Zoë  ', 'zoe'], ['Jürgen Groß', 'jurgen.gross'], ['Ølsen', 'olsen'], ['O’Brien', 'obrien'],
    ['.dot.', 'dot'], ['a..b', 'a.b'], ['דנה', ''], ['🌿', ''], ['x'.repeat(40), 'x'.repeat(32)], ['-_-', ''],
  ];
  for (const [typed, want] of cases) {
    expect(nameOf(typed), typed).toBe(want);
    if (want) expect(isName(nameOf(typed)), typed).toBe(true);
  }
});

test('what may be a handle', () => {
  for (const s of ['ana@example.org', 'Ana@Example.org', 'a@[::1]:7700', 'a.b-c_d@10.0.0.1:80']) expect(isHandle(s), s).toBe(true);
  for (const s of ['', 'ana', '@example.org', 'ana@', 'a@b@c', '.a@b', 'a b@c']) expect(isHandle(s), s).toBe(false);
});

test('an invitation link is found in what was copied with it', () => {
  const link = 'https://example.org/i#pQECA_-x';
  expect(linkIn(`Come in: ${link}, see you`)).toBe(link);
  expect(linkIn('http://127.0.0.1:7700/i#aa')).toBe('http://127.0.0.1:7700/i#aa');
  expect(linkIn('https://example.org/other#aa')).toBeUndefined();
  expect(linkIn('ana@example.org')).toBeUndefined();
});
