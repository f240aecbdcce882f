// Two drawn people in front of their cameras, for pictures: the fake camera of a browser
// shows a pattern that nobody would recognise as a call.

const ana = [
  '<rect width="1280" height="800" fill="#6d5a5c"/>',
  '<rect y="620" width="1280" height="180" fill="#54433f"/>',
  '<rect x="120" y="70" width="330" height="400" rx="6" fill="#3f4d5e"/>',
  '<rect x="132" y="82" width="148" height="180" fill="#8296a8"/>',
  '<rect x="290" y="82" width="148" height="180" fill="#8ea2b2"/>',
  '<rect x="132" y="272" width="148" height="186" fill="#71869a"/>',
  '<rect x="290" y="272" width="148" height="186" fill="#7c91a4"/>',
  '<path d="M132 400c60-40 110-30 148-10v68H132zM290 388c50-24 110-10 148 16v54H290z" fill="#566c66"/>',
  '<path d="M92 52h66c-8 150-26 320-66 440zM478 52h-62c10 150 26 320 62 440z" fill="#8d7172"/>',
  '<rect x="900" y="150" width="300" height="14" rx="3" fill="#46362f"/>',
  '<rect x="916" y="70" width="26" height="80" fill="#a4624c"/>',
  '<rect x="946" y="58" width="20" height="92" fill="#41606b"/>',
  '<rect x="970" y="78" width="30" height="72" fill="#c0a36a"/>',
  '<rect x="1004" y="64" width="18" height="86" fill="#7a4a62"/>',
  '<rect x="1026" y="74" width="24" height="76" fill="#5d6c56"/>',
  '<path d="M1100 150v-30h44v30z" fill="#b9785a"/>',
  '<path d="M1104 120c-4-34 4-52 18-58 14 6 24 26 18 58z" fill="#5f7a5c"/>',
  '<path d="M1010 620V380" stroke="#3d2e2b" stroke-width="8"/>',
  '<path d="M946 390l30-100h68l30 100z" fill="#f0c98f"/>',
  '<path d="M946 390l30-100h20l-24 100z" fill="#f7dcae"/>',
  '<path d="M520 392c-34-130-10-236 120-240 132 4 156 112 122 242 24 60 24 110 6 150-60 20-190 20-250 0-20-40-20-92 2-152z" fill="#2c1c1d"/>',
  '<path d="M250 800c10-190 120-270 300-290h180c180 20 290 100 300 290z" fill="#7d2c55"/>',
  '<path d="M250 800c10-190 120-270 300-290l40 290z" fill="#6c2449"/>',
  '<path d="M560 505c20 60 140 60 160 0l-14-70H574z" fill="#c98f72"/>',
  '<path d="M574 450c30 40 100 44 132 4l6 36c-40 34-106 30-142 0z" fill="#b27a60"/>',
  '<ellipse cx="640" cy="340" rx="104" ry="132" fill="#dba583"/>',
  '<path d="M640 208c58 0 104 58 104 132s-46 132-104 132c30-40 44-90 40-140s-20-94-40-124z" fill="#e5b493"/>',
  '<path d="M520 392c-34-130-10-236 120-240 132 4 156 112 122 242-4-74-24-128-62-156-50 34-108 40-146 34-22 34-32 74-34 120z" fill="#3a2628"/>',
  '<path d="M520 392c-18 60-24 110-2 150 18-8 30-30 34-60-16-30-28-60-32-90zM762 394c20 58 24 108 4 148-18-8-32-30-36-60 16-30 28-58 32-88z" fill="#32201f"/>',
  '<path d="M594 346c8-8 24-8 32 0M656 346c8-8 24-8 32 0" fill="none" stroke="#6d4336" stroke-width="5" stroke-linecap="round"/>',
  '<path d="M604 408c22 20 52 20 74 0" fill="none" stroke="#a05a4c" stroke-width="6" stroke-linecap="round"/>',
  '<path d="M640 356c-4 14-8 24-2 28" fill="none" stroke="#bd8466" stroke-width="5" stroke-linecap="round"/>',
].join('');

const bo = [
  '<rect width="240" height="150" fill="#4d5a5c"/>',
  '<rect x="150" width="60" height="70" fill="#8aa0a2"/>',
  '<path d="M178 0v70M150 34h60" stroke="#445052" stroke-width="4"/>',
  '<path d="M40 150c4-38 26-52 62-54h22c36 2 58 16 62 54z" fill="#c9b48f"/>',
  '<path d="M100 98c4 12 24 12 28 0l-3-16h-22z" fill="#8b5d48"/>',
  '<ellipse cx="114" cy="66" rx="23" ry="28" fill="#a06f56"/>',
  '<path d="M90 62c-4-30 8-40 24-40s28 10 24 40c-4-12-8-16-12-20-10 4-22 4-28 2-4 4-6 10-8 18z" fill="#241a1a"/>',
  '<path d="M100 82c6 14 22 14 28 0 0 12-6 16-14 16s-14-4-14-16z" fill="#2d2020"/>',
].join('');

export const portraits = {
  ana: { width: 1280, height: 800, drawing: ana },
  bo: { width: 240, height: 150, drawing: bo },
} as const;

/** sitter puts a drawn person before the camera of a page, from before its first script. */
export function sitter(who: { width: number; height: number; drawing: string }): void {
  const devices = navigator.mediaDevices;
  if (!devices) return;
  const real = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (c) => {
    if (!c?.video) return real(c);
    const image = new Image();
    image.src = URL.createObjectURL(new Blob([`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${who.width} ${who.height}" width="1280" height="800">${who.drawing}</svg>`], { type: 'image/svg+xml' }));
    await image.decode();
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [1280, 800];
    const draw = (): void => canvas.getContext('2d')?.drawImage(image, 0, 0, 1280, 800);
    draw();
    setInterval(draw, 66);
    return canvas.captureStream(15);
  };
}
