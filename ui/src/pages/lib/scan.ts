// QR codes, read from a camera or a picture: by the browser where it can
// (BarcodeDetector), else by a small decoder that is loaded then.

interface Detector {
  detect(source: ImageBitmapSource): Promise<{ rawValue: string }[]>;
}
interface DetectorClass {
  new (options: { formats: string[] }): Detector;
  getSupportedFormats(): Promise<string[]>;
}

/** reader answers what finds the text of a QR code in a picture, or undefined if there is none. */
export async function reader(): Promise<(picture: ImageBitmap) => Promise<string | undefined>> {
  const own = (globalThis as { BarcodeDetector?: DetectorClass }).BarcodeDetector;
  if (own) {
    try {
      if ((await own.getSupportedFormats()).includes('qr_code')) {
        const detector = new own({ formats: ['qr_code'] });
        return async (picture) => (await detector.detect(picture))[0]?.rawValue;
      }
    } catch {
      // A browser that has the name and not the service: the decoder does it.
    }
  }
  const { default: decode } = await import('jsqr');
  return async (picture) => {
    const { data, width, height } = pixels(picture);
    return decode(data, width, height, { inversionAttempts: 'attemptBoth' })?.data || undefined;
  };
}

/** More pixels a side do not help the decoder, and take it long. */
const maxSide = 1024;

function pixels(picture: ImageBitmap): ImageData {
  const scale = Math.min(1, maxSide / Math.max(picture.width, picture.height));
  const width = Math.max(1, Math.round(picture.width * scale));
  const height = Math.max(1, Math.round(picture.height * scale));
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('no canvas');
  context.drawImage(picture, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

/** scanFile finds the text of a QR code in a picture file. */
export async function scanFile(file: Blob): Promise<string | undefined> {
  const picture = await createImageBitmap(file);
  try {
    return await (await reader())(picture);
  } finally {
    picture.close();
  }
}

/**
 * scanCamera shows the camera in a video element and answers the first text that it finds.
 * It ends, and turns the camera off, when the signal is aborted; then it answers undefined.
 */
export async function scanCamera(video: HTMLVideoElement, signal: AbortSignal): Promise<string | undefined> {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { facingMode: 'environment' } });
  try {
    if (signal.aborted) return undefined;
    const [read] = await Promise.all([reader(), play(video, stream)]);
    while (!signal.aborted) {
      if (video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && video.videoWidth > 0) {
        const picture = await createImageBitmap(video);
        const text = await read(picture).finally(() => picture.close());
        if (text) return text;
      }
      await pause(150, signal);
    }
    return undefined;
  } finally {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  }
}

async function play(video: HTMLVideoElement, stream: MediaStream): Promise<void> {
  video.srcObject = stream;
  video.muted = true;
  await video.play();
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', () => { clearTimeout(timer); done(); }, { once: true });
  });
}
