import { render } from 'svelte/server';
import { describe, expect, it } from 'vitest';
import MessageText from './MessageText.svelte';

const page = (text: string, asleep: boolean): string => render(MessageText, { props: { text, asleep } }).body;

describe('what a stranger wrote', () => {
  const letter = [
    'Hello, *it is me*: [the pictures](https://example.org/p) and https://example.org/q',
    '[example.org](https://examp1e.example/)',
    '> quoted [once](https://example.org/r)',
    '- listed <https://example.org/s>',
  ].join('\n\n');

  it('is laid out, and no link in it can be followed', () => {
    const html = page(letter, true);
    expect(html).toContain('<em>');
    expect(html).toContain('<blockquote');
    expect(html).not.toMatch(/<a\b|href|<script|<img/);
  });

  it('says where its links lead', () => {
    for (const where of ['example.org', 'examp1e.example']) expect(page(letter, true)).toContain(where);
    expect(page('[the pictures](https://elsewhere.example/p)', true)).toContain('elsewhere.example');
  });

  it('has links once it is let in', () => {
    expect(page(letter, false)).toMatch(/<a\b[^>]*href="https:\/\/example\.org\/p"/);
  });
});
