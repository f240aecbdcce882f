// A short tone out of the speaker that was chosen, to try it.

import { speak } from './sources';

export async function chime(): Promise<void> {
  const context = new AudioContext();
  const out = context.createMediaStreamDestination();
  const sine = context.createOscillator();
  const gain = context.createGain();
  const at = context.currentTime + 0.1;
  sine.frequency.value = 440;
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(0.12, at + 0.05);
  gain.gain.exponentialRampToValueAtTime(0.0001, at + 1);
  sine.connect(gain).connect(out);
  const element = new Audio();
  element.srcObject = out.stream;
  await speak(element);
  await element.play();
  sine.start(at);
  sine.stop(at + 1.05);
  sine.onended = () => {
    element.srcObject = null;
    void context.close();
  };
}
