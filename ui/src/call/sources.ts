// Microphone, camera, screen and speaker of this computer: which there are, which was
// chosen, and their tracks. Nothing is asked of the machine before somebody wants it.

export type Kind = 'microphone' | 'camera' | 'speaker';
const kinds: Record<Kind, MediaDeviceKind> = { microphone: 'audioinput', camera: 'videoinput', speaker: 'audiooutput' };

export interface Device {
  id: string;
  name: string;
}

/** Devices are remembered by their names: their ids are others at each address of the app. */
const place = 'sotto.devices';

type Chosen = Partial<Record<Kind, string>>;

export function chosen(): Chosen {
  try {
    const v: unknown = JSON.parse(localStorage.getItem(place) ?? '{}');
    return v && typeof v === 'object' ? (v as Chosen) : {};
  } catch {
    return {};
  }
}

export function choose(kind: Kind, name: string): void {
  try {
    localStorage.setItem(place, JSON.stringify({ ...chosen(), [kind]: name }));
  } catch {
    // it holds for this window then
  }
}

/** devices are those of a kind. Browsers name them only after one of them was used. */
export async function devices(kind: Kind): Promise<Device[]> {
  const all = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  return all.filter((d) => d.kind === kinds[kind] && d.deviceId && d.label && d.deviceId !== 'communications').map((d) => ({ id: d.deviceId, name: d.label }));
}

/** the id of the device of a kind that was chosen, where it is there. */
export async function preferred(kind: Kind): Promise<string | undefined> {
  const name = chosen()[kind];
  return name ? (await devices(kind)).find((d) => d.name === name)?.id : undefined;
}

const only = (id: string | undefined): MediaTrackConstraints => (id ? { deviceId: { exact: id } } : {});

async function first(constraints: MediaStreamConstraints): Promise<MediaStreamTrack> {
  const track = (await navigator.mediaDevices.getUserMedia(constraints)).getTracks()[0];
  if (!track) throw new DOMException('there is no track', 'NotFoundError');
  return track;
}

export async function microphoneTrack(): Promise<MediaStreamTrack> {
  return first({ audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, ...only(await preferred('microphone')) } });
}

export async function cameraTrack(): Promise<MediaStreamTrack> {
  const track = await first({ video: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 }, ...only(await preferred('camera')) } });
  track.contentHint = 'motion';
  return track;
}

/** screenTracks asks which screen or window is shown; its sound comes along where the system can. */
export async function screenTracks(): Promise<{ picture: MediaStreamTrack; sound: MediaStreamTrack | undefined }> {
  const stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { ideal: 15 } }, audio: true });
  const picture = stream.getVideoTracks()[0];
  if (!picture) throw new DOMException('there is no track', 'NotFoundError');
  picture.contentHint = 'detail';
  return { picture, sound: stream.getAudioTracks()[0] };
}

/** canShare says whether this browser can show a screen to somebody. */
export const canShare = (): boolean => !!navigator.mediaDevices?.getDisplayMedia;

/** canChooseSpeaker says whether this browser lets a page choose where sound comes out. */
export const canChooseSpeaker = (): boolean => 'setSinkId' in HTMLMediaElement.prototype;

/** speak lets an element sound from the speaker that was chosen. */
export async function speak(element: HTMLMediaElement): Promise<void> {
  if (!canChooseSpeaker()) return;
  // The speaker of the system does, where the chosen one is gone.
  await element.setSinkId((await preferred('speaker')) ?? '').catch(() => undefined);
}
