/** JPEG and WebP as the browser's own encoders make them, at a size. */

import { pixelsOf, withoutAlpha } from "./photograph.js";

const HIGHEST = 99; // percent; WebP of 100 is of another kind, without loss

/**
 * The best file of a type of at most `size` bytes, or the smallest one where all are larger: {blob, picture}; null where
 * the browser does not write that type, or not of such a size: of WebP, which has 16,383 pixels a side, it writes a part.
 *
 * picture: what is to be compressed, and what comes of it: {width, height, samples: Uint8Array [height, width, 3]}.
 */
export async function atSize(picture, type, size, signal) {
  const canvas = canvasOf(picture);
  const at = (quality) => canvas.convertToBlob({ type, quality: quality / 100 });
  if ((await at(0)).type !== type) return null; // it is PNG then
  let [low, high] = [0, HIGHEST]; // the best quality is not below low, and not above high
  while (low < high) {
    signal.throwIfAborted();
    const middle = Math.ceil((low + high) / 2);
    if ((await at(middle)).size <= size) low = middle;
    else high = middle - 1;
  }
  const blob = await at(low);
  const bitmap = await createImageBitmap(blob);
  if (bitmap.width !== picture.width || bitmap.height !== picture.height) return null;
  const { width, height, data } = pixelsOf(bitmap);
  return { blob, picture: { width, height, samples: withoutAlpha(data) } };
}

function canvasOf({ width, height, samples }) {
  const canvas = new OffscreenCanvas(width, height);
  const image = new ImageData(width, height);
  for (let from = 0, to = 0; from < samples.length; from += 3, to += 4) {
    image.data.set(samples.subarray(from, from + 3), to);
    image.data[to + 3] = 255;
  }
  canvas.getContext("2d", { alpha: false }).putImageData(image, 0, 0);
  return canvas;
}
