// The five parts of a call's description, in the order that docs/protocol.md has: every
// peer keeps to it, so that nothing but a renewal is ever described again.

/** The parts that carry sound or pictures, by their place in the description. */
export const parts = ['audio', 'video', 'video', 'audio'] as const;
export const microphone = 0;
export const camera = 1;
export const screen = 2;
export const screenSound = 3;

/** VP8 first: everybody has it and it costs the least; then what both ends agree on. */
const order = ['video/VP8', 'video/VP9', 'video/AV1', 'video/H264'];

/** ordered are the codecs of pictures as they are offered. What is no codec (repair, redundancy) goes behind. */
export function ordered<T extends { mimeType: string }>(codecs: readonly T[]): T[] {
  const rank = (c: T): number => {
    const i = order.findIndex((o) => o.toLowerCase() === c.mimeType.toLowerCase());
    return i < 0 ? order.length : i;
  };
  return codecs
    .filter((c) => rank(c) < order.length || /^video\/(rtx|red|ulpfec|flexfec-03)$/i.test(c.mimeType))
    .map((c, i) => ({ c, i }))
    .sort((a, b) => rank(a.c) - rank(b.c) || a.i - b.i)
    .map(({ c }) => c);
}

/** prefer says to every part of pictures which codecs come first. */
export function prefer(pc: RTCPeerConnection): void {
  const codecs = globalThis.RTCRtpReceiver?.getCapabilities?.('video')?.codecs;
  if (!codecs) return;
  for (const i of [camera, screen]) {
    const part = pc.getTransceivers()[i];
    if (!part?.setCodecPreferences) continue;
    try {
      part.setCodecPreferences(ordered(codecs));
    } catch {
      // an order that this browser does not take: it keeps its own
    }
  }
}

/** What Opus is asked for: repair of lost packets, and silence that costs nothing (RFC 7587, 7.1). */
const wanted = ['useinbandfec=1', 'usedtx=1'];

/** described is a description with Opus as every call has it. */
export function described(sdp: string): string {
  const lines = sdp.split('\r\n');
  const opus = new Set(lines.flatMap((l) => /^a=rtpmap:(\d+) opus\/48000/i.exec(l)?.[1] ?? []));
  const known = new Set<string>();
  const out = lines.map((line) => {
    const [, id, values] = /^a=fmtp:(\d+) (.*)$/.exec(line) ?? [];
    if (!id || values === undefined || !opus.has(id)) return line;
    known.add(id);
    const rest = values.split(';').filter((v) => v && !wanted.some((w) => v.startsWith(w.split('=')[0] + '=')));
    return `a=fmtp:${id} ${[...rest, ...wanted].join(';')}`;
  });
  // A description may leave the line out.
  return out.flatMap((line) => {
    const id = /^a=rtpmap:(\d+) opus\/48000/i.exec(line)?.[1];
    return id && !known.has(id) ? [line, `a=fmtp:${id} ${wanted.join(';')}`] : [line];
  }).join('\r\n');
}

/** keeps says whether a description has the five parts, in their order. */
export function keeps(sdp: string): boolean {
  const kinds = sdp.split(/\r?\n/).flatMap((l) => /^m=(\w+) /.exec(l)?.[1] ?? []);
  return kinds.join(' ') === [...parts, 'application'].join(' ');
}
