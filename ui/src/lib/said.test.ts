import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Said } from '../api/types';
import { Refused } from '../api/request';
import { i18n } from '../i18n/i18n.svelte';
import { explain } from '../pages/lib/failure';
import { say } from './said';

const added: Said = { key: 'added', values: { by: 'Ana', name: 'bo@example.org' } };

describe('what sotto says', () => {
  beforeAll(() => {
    vi.stubGlobal('document', { documentElement: {} });
    vi.stubGlobal('navigator', { languages: ['en-150'] });
  });
  afterEach(() => i18n.use('en'));

  it('is said in the language of the moment', async () => {
    expect(say(added, '')).toBe('Ana added bo@example.org.');
    await i18n.use('de');
    expect(say(added, '')).toBe('Ana hat bo@example.org dazugeholt.');
    expect(say({ key: 'vanish', values: { by: 'Ana' }, n: 604_800 }, '')).toBe('Ana lässt Nachrichten hier nach dem Lesen verschwinden: 1 Woche.');
    expect(say({ key: 'expired', values: {}, n: 1200 }, '')).toContain('1.200 Einträge');
    await i18n.use('es');
    expect(say({ key: 'added.you', values: { by: 'Ana' } }, '')).toBe('Ana te añadió.');
  });

  it('has its reason in the same language', async () => {
    const moved: Said = { key: 'moved.why', values: {}, why: 'fault.lost' };
    const failed: Said = { key: 'failed.change', values: { why: 'the log is full' }, why: 'log full' };
    expect(say(failed, '')).toBe('A change of this room could not be made: the log is full');
    await i18n.use('de');
    expect(say(moved, '')).toBe('Diese Unterhaltung ist an einen anderen Ort umgezogen: Der Server hat diese Unterhaltung verloren.');
    expect(say(failed, '')).not.toContain('full');
    expect(say({ ...failed, why: 'of tomorrow' }, '')).toContain('the log is full');
  });

  it('says why a change was refused', async () => {
    const refused = new Refused(409, { code: 'change refused', text: 'not for you', said: { key: 'failed.forbidden', values: {} } });
    await i18n.use('es');
    expect(explain(refused)).toMatch(/^No se pudo hacer/);
    expect(explain(new Refused(409, { code: 'server key', text: 'another key' }))).toMatch(/otra clave/);
    expect(explain(new Refused(500, { code: 'of tomorrow', text: 'it broke' }))).toBe('It broke.');
  });

  it('is its English where it is not known', () => {
    for (const key of ['of-tomorrow', 'constructor', '__proto__', '']) expect(say({ key, values: {} }, 'In English\n.')).toBe('In English .');
    expect(say(undefined, 'Ana left.')).toBe('Ana left.');
  });

  it('keeps what strangers are called in its place', () => {
    const name = 'a\u202Eb\n{by}';
    expect(say({ key: 'added', values: { by: 'Ana', name } }, '')).toBe('Ana added \u2068ab {by}\u2069.');
    expect(say({ key: 'left', values: { name: 'דנה' } }, '')).toBe('\u2068דנה\u2069 left.');
    expect(say({ key: 'left', values: {} }, '')).toBe(' left.');
  });
});
