/**
 * tintOf is the tint of an account's monogram, 1 to 6: FNV-1a over the bytes of its id, as
 * the app computes it, for what comes without one (one's own account, an invitation).
 */
export function tintOf(account: string | undefined): number {
  let h = 0x811c9dc5;
  for (const pair of (account ?? '').match(/[0-9a-f]{2}/g) ?? []) h = Math.imul(h ^ parseInt(pair, 16), 0x01000193) >>> 0;
  return 1 + (h % 6);
}
