/** Exact colours, lossless (FORMAT.md, section 2.6). */

import { pixels, split } from "./webp.js";

const WHAT = "exact colours";

/** The colours [height, width, 1 or 3] of a tile with 8 or 16 bits a sample: Uint8Array or Uint16Array. */
export async function decodeExact(data, width, height, colours, depth) {
  const length = width * height * colours;
  const found = depth === 8 ? new Uint8Array(length) : new Uint16Array(length);
  for (const square of split(data, width, height, WHAT, { count: depth / 8, opaque: true })) {
    const rgba = await pixels(square, WHAT); // [h, w, 4]; of 16 bits the high bytes come first
    for (let y = 0, i = 0; y < square.height; y++) {
      const start = ((square.top + y) * width + square.left) * colours;
      for (let at = start; at < start + square.width * colours; at += colours, i += 4) {
        for (let colour = 0; colour < colours; colour++) found[at + colour] = (found[at + colour] << 8) | rgba[i + colour];
      }
    }
  }
  return found;
}
