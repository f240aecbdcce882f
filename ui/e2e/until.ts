import { patience } from './process';

/** until asks again and again until there is an answer. */
export async function until<T>(f: () => Promise<T | undefined | false | null>, what: string, within = patience): Promise<T> {
  const end = Date.now() + within;
  for (;;) {
    const value = await f();
    if (value) return value;
    if (Date.now() > end) throw new Error(`there is not ${what}`);
    await new Promise((done) => setTimeout(done, 40));
  }
}
