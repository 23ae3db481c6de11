/** Photographs in any format that the browser reads, as what is compressed: upright, in sRGB of 8 bits. */

import { checkSize } from "../encode.js";
import { LcqError } from "../errors.js";
import { framesOf } from "./animation.js";
import { contextOf } from "./canvas.js";
import { isLcq } from "./signature.js";

/** A file as {width, height, samples: Uint8Array [height, width, 3]}; throws LcqError where it is none. */
export async function photograph(file) {
  if (await isLcq(file)) throw new LcqError("is an .lcq file already; Open shows it");
  const frames = await framesOf(file);
  if (frames > 1) throw new LcqError(`an animation of ${frames} frames; save one frame as a still picture first`);
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new LcqError("not a picture that this browser reads; save it as JPEG or PNG first");
  });
  const { width, height } = bitmap;
  checkSize(bitmap);
  const { data } = pixelsOf(bitmap); // [height, width, 4]
  for (let at = 3; at < data.length; at += 4) {
    if (data[at] < 255) throw new LcqError("has transparent pixels, which lcodec compress keeps, but this page does not");
  }
  return { width, height, samples: withoutAlpha(data) };
}

/** ImageData of an ImageBitmap, which is given back; throws LcqError where there is no canvas of its size. */
export function pixelsOf(bitmap) {
  const { width, height } = bitmap;
  const context = contextOf(new OffscreenCanvas(width, height), { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context.getImageData(0, 0, width, height);
}

/** Samples [height, width, 4] to [height, width, 3]. */
export function withoutAlpha(data) {
  const samples = new Uint8Array((data.length / 4) * 3);
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
    samples[to] = data[from];
    samples[to + 1] = data[from + 1];
    samples[to + 2] = data[from + 2];
  }
  return samples;
}
