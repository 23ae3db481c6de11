/** Alpha, lossless (FORMAT.md, section 2.5). */

import { pixels, split } from "./webp.js";

/** The alpha channel of a tile of width x height with 8 or 16 bits a sample: Uint8Array or Uint16Array. */
export async function decodeAlpha(data, width, height, depth) {
  const alpha = depth === 8 ? new Uint8Array(width * height) : new Uint16Array(width * height);
  if (!data.length) return alpha.fill(depth === 8 ? 255 : 65_535);
  for (const square of split(data, width, height, "alpha")) {
    const rgba = await pixels(square, "alpha"); // [h, w, 4]
    for (let y = 0, i = 0; y < square.height; y++) {
      const start = (square.top + y) * width + square.left;
      for (let at = start; at < start + square.width; at++, i += 4) {
        alpha[at] = depth === 8 ? rgba[i] : (rgba[i] << 8) | rgba[i + 1];
      }
    }
  }
  return alpha;
}
