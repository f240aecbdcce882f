// How loud a track is, several times a second, for a meter.

/** loud is the loudness of samples, 0 to 1, by ear: a quiet voice is a third, a shout is all. */
export function loud(samples: Float32Array): number {
  let sum = 0;
  for (const s of samples) sum += s * s;
  const decibels = 10 * Math.log10(sum / Math.max(1, samples.length) + 1e-10);
  return Math.min(1, Math.max(0, (decibels + 60) / 50));
}

/** meter tells how loud a track is until what it answers is called. */
export function meter(track: MediaStreamTrack, tell: (level: number) => void): () => void {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    tell(loud(samples));
  }, 100);
  return () => {
    clearInterval(timer);
    void context.close();
  };
}
