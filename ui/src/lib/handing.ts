// Hands a file over to the app in parts: a call takes no more than one of them.

import { backupPart } from '../api/calls';
import type { BackupFile } from '../api/types';
import { base64 } from '../pages/lib/picture';

const part = 512 << 10;

/** hand hands a backup over, and answers what opens it. */
export async function hand(file: Blob, told: (done: number) => void = () => undefined): Promise<BackupFile> {
  let out: BackupFile = { size: 0, words: false, passphrase: false };
  for (let at = 0; at === 0 || at < file.size; at += part) {
    out = await backupPart({ at, data: await base64(file.slice(at, at + part)) });
    told(out.size);
  }
  return out;
}
