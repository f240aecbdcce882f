// Two tones in a low voice, again and again, until it stops: while somebody calls, and,
// quieter still, while one waits for the other side.

interface Tones {
  /** hertz, and when each begins, in seconds */
  notes: readonly (readonly [number, number])[];
  loud: number;
  /** milliseconds from one beginning to the next */
  every: number;
}

const kinds = {
  ringing: { notes: [[440, 0], [587.33, 0.22], [440, 0.44]], loud: 0.06, every: 2_400 },
  calling: { notes: [[293.66, 0], [349.23, 0.34]], loud: 0.02, every: 3_600 },
} as const satisfies Record<string, Tones>;

/** ring begins; what it answers stops it. */
export function ring(kind: keyof typeof kinds): () => void {
  const { notes, loud, every } = kinds[kind];
  let context: AudioContext;
  try {
    context = new AudioContext();
  } catch {
    return () => undefined; // no sound on this machine
  }
  const play = (): void => {
    if (context.state === 'suspended') {
      // A window that nobody has touched yet may not sound: the next time, perhaps.
      if (navigator.userActivation?.hasBeenActive === false) return;
      void context.resume();
    }
    for (const [hertz, after] of notes) {
      const at = context.currentTime + 0.03 + after;
      const sine = context.createOscillator();
      const gain = context.createGain();
      sine.frequency.value = hertz;
      gain.gain.setValueAtTime(0, at);
      gain.gain.linearRampToValueAtTime(loud, at + 0.03);
      gain.gain.exponentialRampToValueAtTime(0.0001, at + 0.6);
      sine.connect(gain).connect(context.destination);
      sine.start(at);
      sine.stop(at + 0.62);
    }
  };
  play();
  const timer = setInterval(play, every);
  return () => {
    clearInterval(timer);
    void context.close();
  };
}
