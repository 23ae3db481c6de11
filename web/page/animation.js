/** Files of several pictures, one after the other in time. */

import { bytesOf } from "./reading.js";

const MOVING = { // by type, how files begin that can be such
  "image/gif": /^GIF8/,
  "image/png": /^\x89PNG/,
  "image/webp": /^RIFF[^]{4}WEBP/,
  "image/avif": /^[^]{4}ftypavi[fs]/,
};
const BEGINNING = 12; // bytes

/** Frames of a File; 1 of what is damaged, of another kind, or where the browser has no WebCodecs to tell. */
export async function framesOf(file) {
  const begins = String.fromCharCode(...(await bytesOf(file, 0, BEGINNING)));
  const type = Object.keys(MOVING).find((each) => MOVING[each].test(begins));
  if (!type || !(await globalThis.ImageDecoder?.isTypeSupported(type))) return 1;
  const decoder = new ImageDecoder({ data: file.stream(), type });
  try {
    await decoder.completed; // else later frames are not counted
    await decoder.tracks.ready;
    return decoder.tracks.selectedTrack.frameCount;
  } catch {
    return 1;
  } finally {
    decoder.close();
  }
}
