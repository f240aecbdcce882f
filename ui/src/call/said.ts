// What the two sides tell each other on the data channel: whether microphone, camera and
// screen are on, whether the call is on hold, and that one hangs up.

export interface Sends {
  mic: boolean;
  camera: boolean;
  screen: boolean;
  hold: boolean;
}

export type Told = { kind: 'sends'; sends: Sends } | { kind: 'bye' };

/** No text of the channel is longer, in bytes. */
const longest = 4096;

export const tell = (s: Sends): string => JSON.stringify({ v: 1, mic: s.mic, camera: s.camera, screen: s.screen, hold: s.hold });
export const bye = JSON.stringify({ v: 1, bye: true });

/** hear reads what the other side told; undefined for all that is not understood, which ends nothing. */
export function hear(data: unknown): Told | undefined {
  if (typeof data !== 'string' || new TextEncoder().encode(data).length > longest) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return undefined;
  }
  if (!value || typeof value !== 'object' || Array.isArray(value)) return undefined;
  const { v, bye, mic, camera, screen, hold } = value as Record<string, unknown>;
  if (v !== 1) return undefined;
  if (bye === true) return { kind: 'bye' };
  if (typeof mic !== 'boolean' || typeof camera !== 'boolean' || typeof screen !== 'boolean' || typeof hold !== 'boolean') return undefined;
  return { kind: 'sends', sends: { mic, camera, screen, hold } };
}
