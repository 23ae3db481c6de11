/** Exact colours, lossless, and alpha with them (FORMAT.md, section 2.6). */

import { hasAlpha, pixels, split } from "./webp.js";

const WHAT = "exact colours";

/**
 * The colours [height, width, 1 or 3] of a tile with 8 or 16 bits a sample, and its alpha [height, width], null where
 * they do not have it: Uint8Array or Uint16Array. opaque: whether one that has it is refused. Throws FormatError.
 */
export async function decodeExact(data, width, height, colours, depth, opaque) {
  const samples = (length) => (depth === 8 ? new Uint8Array(length) : new Uint16Array(length));
  const squares = split(data, width, height, WHAT, { count: depth / 8, opaque });
  const found = { colour: samples(width * height * colours), alpha: null };
  if (squares.some(hasAlpha)) found.alpha = samples(width * height);
  for (const square of squares) {
    const rgba = await pixels(square, WHAT); // [h, w, 4]; of 16 bits the high bytes come first
    append(found.colour, width, colours, rgba, 0, square);
    if (found.alpha) append(found.alpha, width, 1, rgba, 3, square);
  }
  return found;
}

/** Put a byte behind those that the samples of a square have, from that of each pixel of rgba on. */
function append(samples, width, channels, rgba, from, square) {
  for (let y = 0, i = from; y < square.height; y++) {
    const start = ((square.top + y) * width + square.left) * channels;
    for (let at = start; at < start + square.width * channels; at += channels, i += 4) {
      for (let channel = 0; channel < channels; channel++) samples[at + channel] = (samples[at + channel] << 8) | rgba[i + channel];
    }
  }
}
