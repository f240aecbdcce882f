// What can be done in a conversation, each at least once, with two people's windows at once:
//   Markdown, code blocks, replies, edits, reactions, the emoji picker and its search,
//   mentions (group.e2e.ts), deletion here and everywhere, disappearing messages, states,
//   typing, presence, jump to date and to unread, copy, forward, star, pinned messages, drag
//   and drop, paste, drafts, search within, sending by Enter or not.

import { beforeAll, describe, expect, test } from 'vitest';
import { en } from '../src/i18n/en';
import type { Person } from './person';
import { staged } from './stage';
import { until } from './until';
import { part, say } from './words';

describe('a conversation of two', () => {
  const stage = staged();
  let ana: Person, bo: Person;

  beforeAll(async () => {
    const server = await stage.server();
    [ana, bo] = await Promise.all([stage.person('ana', server), stage.person('bo', server)]);
    await stage.meet(ana, bo);
    await ana.opens('bo');
    await bo.opens('ana');
    await bo.reads('hello');
  });

  test('both write, and the states are told', async () => {
    await ana.writes('hi there');
    await bo.reads('hi there');
    await ana.state('hi there', 'read');
    await bo.writes('hi yourself');
    await ana.reads('hi yourself');
    await bo.state('hi yourself', 'read');
  });

  test('what is read elsewhere is delivered, not read', async () => {
    await bo.goes('/you');
    await bo.heading('you.profile').waitFor();
    await ana.writes('for later');
    await ana.state('for later', 'delivered');
    await bo.goes('/');
    expect(await bo.row('ana').locator('.count').innerText()).toContain('1');
    await bo.opens('ana');
    await ana.state('for later', 'read');
  });

  test('typing shows, in the stream and in the list', async () => {
    // It is told now and then while somebody goes on writing.
    await until(async () => {
      await ana.composer.pressSequentially('on and on ');
      return bo.text('writing.one', { name: 'ana' }).isVisible();
    }, 'the line that ana writes');
    await bo.row('ana').getByText(say('list.writing')).waitFor();
    await ana.composer.fill('');
    await bo.row('ana').getByText(say('list.writing')).waitFor({ state: 'detached' });
  });

  test('presence shows when both allow it', async () => {
    await ana.app.call('PATCH', '/settings', { presence: true });
    await bo.app.call('PATCH', '/settings', { presence: true });
    await bo.page.locator('main header .sub').filter({ hasText: part('head.here') }).waitFor();
    // Changes of mind within half a second are passed over.
    await until(async () => {
      await ana.app.call('PATCH', '/settings', { presence: true });
      await ana.app.call('PATCH', '/settings', { presence: false });
      return !(await bo.room('ana')).here;
    }, 'ana gone');
    await bo.page.locator('main header .sub').filter({ hasText: part('head.here') }).waitFor({ state: 'detached' });
  });

  test('Markdown is laid out', async () => {
    await ana.writes('# no title\n\n**strong** *soft* ~~gone~~ `code`\n\n> quoted\n\n1. one\n2. two\n\n- dot');
    const m = bo.message('strong');
    await m.waitFor();
    expect(await m.locator('strong').first().innerText()).toBe('strong');
    expect(await m.locator('em').innerText()).toBe('soft');
    expect(await m.locator('del, s').innerText()).toBe('gone');
    expect(await m.locator('blockquote').innerText()).toContain('quoted');
    expect(await m.locator('ol li').count()).toBe(2);
    expect(await m.locator('ul li').count()).toBe(1);
  });

  test('a code block can be copied', async () => {
    await ana.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await ana.writes('```go\nfunc main() {}\n```');
    const m = bo.message('func main');
    await m.locator('pre').waitFor();
    await ana.message('func main').getByRole('button', { name: say('code.copy') }).click();
    expect(await until(() => ana.page.evaluate(() => navigator.clipboard.readText()), 'something copied')).toBe('func main() {}\n'.trimEnd());
  });

  test('a reply quotes, and leads to what it answers', async () => {
    await bo.does('hi there', 'menu.reply');
    await bo.page.locator('footer').getByText(part('composer.reply', { name: 'ana' })).waitFor();
    await bo.writes('an answer');
    const quote = ana.message('an answer').locator('.quote');
    expect(await quote.innerText()).toContain('hi there');
    await quote.click();
    await ana.log.locator('[role=article].lit').filter({ hasText: 'hi there' }).waitFor();
  });

  test('an edit replaces the text and says so', async () => {
    await ana.writes('a mistkae');
    await bo.reads('a mistkae');
    await ana.composer.press('ArrowUp');
    await ana.composer.and(ana.page.locator(':focus')).waitFor();
    expect(await ana.composer.inputValue()).toBe('a mistkae');
    await ana.composer.fill('a mistake');
    await ana.button('composer.save').click();
    await bo.reads('a mistake');
    await bo.meta('a mistake').filter({ hasText: part('meta.edited') }).waitFor({ state: 'attached' });
    expect(await bo.log.getByText('mistkae').count()).toBe(0);
  });

  test('a reaction from the picker, found by a word, and taken back', async () => {
    await bo.does('a mistake', 'menu.react');
    const picker = bo.page.getByRole('dialog', { name: say('emoji.title') });
    await picker.getByRole('searchbox').fill('herb');
    await picker.getByRole('button', { name: /herb/i }).first().click();
    const given = ana.message('a mistake').locator('.react button');
    await given.waitFor();
    expect(await given.innerText()).toContain('🌿');
    await bo.message('a mistake').locator('.react button').click();
    await given.waitFor({ state: 'detached' });
  });

  test('an emoji goes into the text', async () => {
    await ana.composer.fill('good ');
    await ana.button('composer.emoji').click();
    const picker = ana.page.getByRole('dialog', { name: say('emoji.title') });
    await picker.getByRole('searchbox').fill('thumbs up');
    await ana.page.keyboard.press('Enter');
    await until(async () => (await ana.composer.inputValue()).includes('👍'), 'a thumb in the text');
    await ana.button('composer.send').click();
    await bo.reads('good 👍');
  });

  test('a message is taken back everywhere', async () => {
    await ana.writes('not for you');
    await bo.reads('not for you');
    await ana.does('not for you', 'menu.remove');
    await ana.page.getByRole('dialog').getByRole('button', { name: say('remove.verb') }).click();
    await bo.text('message.deleted', { name: 'ana' }).waitFor();
    await ana.text('message.deleted.own').waitFor();
    expect(await bo.log.getByText('not for you').count()).toBe(0);
  });

  test('a message is removed here alone', async () => {
    await bo.does('hi yourself', 'menu.remove');
    const dialog = bo.page.getByRole('dialog');
    await dialog.getByRole('radio', { name: say('remove.here') }).check();
    await dialog.getByRole('button', { name: say('remove.verb.here') }).click();
    await bo.message('hi yourself').waitFor({ state: 'detached' });
    expect(await ana.message('hi yourself').count()).toBe(1);
  });

  test('copying gives the text as it was written', async () => {
    await ana.does('strong', 'menu.copy');
    await ana.hearsToast('copied');
    expect(await ana.page.evaluate(() => navigator.clipboard.readText())).toContain('**strong**');
  });

  test('a star is one’s own; starred messages can be found', async () => {
    await bo.does('hi there', 'menu.star');
    await bo.meta('hi there').filter({ hasText: part('meta.starred') }).waitFor({ state: 'attached' });
    await bo.goes('/search?starred=1');
    await bo.page.getByRole('list', { name: say('search.hits') }).getByText('hi there').first().waitFor();
    await bo.goes('/');
    await bo.opens('ana');
    expect(await ana.log.locator('.meta').filter({ hasText: part('meta.starred') }).count()).toBe(0);
  });

  test('a pinned message stands at the top for both', async () => {
    await ana.does('an answer', 'menu.pin');
    await bo.page.locator('.pins').filter({ hasText: 'an answer' }).waitFor();
    await bo.page.locator('.pins').click();
    await bo.log.locator('[role=article].lit').filter({ hasText: 'an answer' }).waitFor();
    await bo.does('an answer', 'menu.unpin');
    await ana.page.locator('.pins').waitFor({ state: 'detached' });
  });

  test('a message is forwarded to oneself, and says so', async () => {
    await ana.app.call('POST', '/rooms/self');
    await ana.does('an answer', 'menu.forward');
    const dialog = ana.dialog('forward.title');
    await dialog.getByRole('checkbox').first().waitFor();
    await dialog.locator('label').filter({ hasText: /^((?!bo).)*$/ }).first().click();
    await dialog.getByRole('button', { name: say('forward.verb') }).click();
    await ana.hearsToast('forward.done', { n: 1 });
    await ana.row(en['new.notes']).click();
    await ana.message('an answer').getByText(say('message.forwarded')).waitFor();
    await ana.opens('bo');
  });

  test('search within the conversation', async () => {
    await ana.more('head.search');
    await ana.page.getByRole('searchbox', { name: say('find.placeholder') }).fill('mistake');
    await ana.page.locator('.find .count').filter({ hasText: say('find.count', { at: '1', all: '1' }) }).waitFor();
    await ana.log.locator('[role=article].lit').filter({ hasText: 'a mistake' }).waitFor();
    await ana.page.getByRole('searchbox', { name: say('find.placeholder') }).fill('nobody said this');
    await ana.page.locator('.find .count').filter({ hasText: say('find.none') }).waitFor();
    await ana.button('find.close').click();
  });

  test('go to a date', async () => {
    await ana.more('head.date');
    const dialog = ana.dialog('date.title');
    await dialog.getByLabel(say('date.label')).fill(new Date(Date.now() - 3 * 86_400_000).toISOString().slice(0, 10));
    await dialog.getByRole('button', { name: say('date.verb') }).click();
    await ana.message('hello').waitFor();
  });

  test('a draft is kept, shown in the list, and there again', async () => {
    await ana.composer.fill('half a tho');
    await ana.goes('/calls');
    await ana.goes('/');
    await ana.row('bo').getByText('half a tho').waitFor();
    await ana.row('bo').getByText(say('list.draft')).waitFor();
    await ana.opens('bo');
    await until(async () => (await ana.composer.inputValue()) === 'half a tho', 'the draft in the field');
    await ana.composer.fill('');
  });

  test('unread: a line above the first, and one goes there', async () => {
    await bo.goes('/you/appearance');
    for (let i = 1; i <= 40; i++) await ana.sends(bo.handle, `line ${i} of what came meanwhile`);
    await until(async () => (await bo.room('ana')).unread === 40, '40 unread messages');
    await bo.goes('/');
    await until(async () => (await bo.page.title()).startsWith('('), 'a count in the title');
    await bo.opens('ana');
    await bo.page.locator('[data-unread]').waitFor();
    const line = await bo.page.locator('[data-unread]').boundingBox();
    expect(line && line.y > 60 && line.y < 800).toBe(true);
    await bo.page.getByRole('button', { name: part('stream.newest') }).click();
    await bo.message('line 40 of').waitFor();
  });

  test('messages vanish after they are read', async () => {
    await ana.button('vanish.title.never').click();
    await ana.page.getByRole('menu').getByRole('menuitemradio').nth(1).click(); // five minutes
    await until(async () => (await bo.room('ana')).disappear === 300, 'the same time to live at bo');
    await bo.log.locator('.aside').filter({ hasText: 'vanish' }).last().waitFor();
    const room = await ana.room('bo');
    await ana.app.call('PATCH', `/rooms/${room.id}`, { disappear: 2 });
    await until(async () => (await bo.room('ana')).disappear === 2, 'two seconds at bo');
    await bo.composer.click(); // bo looks
    await ana.writes('gone in a moment');
    await bo.reads('gone in a moment');
    // What is over is erased once in a minute.
    await bo.message('gone in a moment').waitFor({ state: 'detached', timeout: 150_000 });
    await ana.message('gone in a moment').waitFor({ state: 'detached', timeout: 150_000 });
    await ana.app.call('PATCH', `/rooms/${room.id}`, { disappear: 0 });
    await until(async () => (await bo.room('ana')).disappear === 0, 'messages that stay');
  }, 400_000);

  test('files that are dropped or pasted wait for a later sotto, and say so', async () => {
    const drop = await ana.page.evaluateHandle(() => {
      const d = new DataTransfer();
      d.items.add(new File(['x'], 'lease.pdf', { type: 'application/pdf' }));
      return d;
    });
    await ana.page.dispatchEvent('main', 'dragenter', { dataTransfer: drop });
    await ana.text('later.drop').waitFor();
    await ana.page.dispatchEvent('main', 'drop', { dataTransfer: drop });
    await ana.hearsToast('later.files');
    await ana.button('composer.voice').click();
    await ana.hearsToast('later.voice');
  });

  test('Enter sends; Shift Enter is a new line; the two can be swapped', async () => {
    await ana.composer.fill('first');
    await ana.composer.press('Shift+Enter');
    await ana.composer.pressSequentially('second');
    await ana.composer.press('Enter');
    await bo.reads('second');
    expect(await bo.message('second').innerText()).toMatch(/first\s+second/);
    await ana.app.call('PATCH', '/settings', { enter_sends: false });
    await ana.composer.and(ana.page.locator('[enterkeyhint=enter]')).waitFor();
    await ana.composer.fill('third');
    await ana.composer.press('Enter');
    await ana.composer.pressSequentially('fourth');
    expect(await ana.composer.inputValue()).toBe('third\nfourth');
    await ana.composer.press('Control+Enter');
    await bo.reads('fourth');
    await ana.app.call('PATCH', '/settings', { enter_sends: true });
  });
});
