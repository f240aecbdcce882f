// The accessibility checker on what a window shows.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** findings of axe, one line each; none is what is wanted. */
export async function findings(page: Page, where: string): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(source);
  const result = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(at: Document, o: object): Promise<AxeResults> } };
    return axe.run(document, { resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] });
  });
  return result.violations.flatMap((v) => v.nodes.map((n) => `${where}: ${v.id} (${v.impact}): ${n.html.slice(0, 160)} ${n.any.concat(n.all, n.none).map((c) => c.message).join('; ').slice(0, 240)}`));
}
