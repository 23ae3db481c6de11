/** Alpha, lossless: WebP files of squares, one after the other, which the browser decodes (FORMAT.md, section 2.5). */

import { FormatError } from "./errors.js";

const SIDE = 2048; // samples
const HEAD = 25; // bytes of the WebP file up to its image data
const RIFF = [0x52, 0x49, 0x46, 0x46];
const WEBP_VP8L = [0x57, 0x45, 0x42, 0x50, 0x56, 0x50, 0x38, 0x4c];
const SIGNATURE = 47;
const ALPHA_USED = 0x10; // of the byte at offset 24

/** The alpha channel of a tile of width x height with 8 or 16 bits a sample: Uint8Array or Uint16Array. */
export async function decodeAlpha(data, width, height, depth) {
  const alpha = depth === 8 ? new Uint8Array(width * height) : new Uint16Array(width * height);
  if (!data.length) return alpha.fill(depth === 8 ? 255 : 65_535);
  for (const { file, left, top, across, down } of files(data, width, height)) {
    const pixels = await opaquePixels(file, across, down); // [down, across, 4]
    for (let y = 0, i = 0; y < down; y++) {
      for (let at = (top + y) * width + left, end = at + across; at < end; at++, i += 4) {
        alpha[at] = depth === 8 ? pixels[i] : (pixels[i] << 8) | pixels[i + 1];
      }
    }
  }
  return alpha;
}

/** The WebP files of a tile's squares and where these lie, their heads checked; throws FormatError. */
function files(data, width, height) {
  const found = [];
  for (let top = 0; top < height; top += SIDE) {
    for (let left = 0; left < width; left += SIDE) {
      const [across, down] = [Math.min(SIDE, width - left), Math.min(SIDE, height - top)];
      const length = checkedLength(data, across, down);
      found.push({ file: data.subarray(0, length), left, top, across, down });
      data = data.subarray(length);
    }
  }
  if (data.length) throw new FormatError(`alpha: ${data.length} bytes too many`);
  return found;
}

/** Bytes of the WebP file at the start of `data`; FormatError where it is not lossless or not of that size. */
function checkedLength(data, width, height) {
  if (data.length < HEAD) throw new FormatError("alpha: ends too early");
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const [length, chunk, bits] = [4, 16, 21].map((at) => view.getUint32(at, true));
  const tagged = RIFF.every((byte, i) => data[i] === byte) && WEBP_VP8L.every((byte, i) => data[8 + i] === byte);
  if (!tagged || data[20] !== SIGNATURE || length !== 12 + chunk + (chunk % 2)) {
    throw new FormatError("alpha: is not a still lossless WebP file");
  }
  const [across, down] = [(bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1];
  if (across !== width || down !== height) {
    throw new FormatError(`alpha: a tile of ${across}x${down} where ${width}x${height} belongs`);
  }
  if (data.length < 8 + length) throw new FormatError("alpha: ends too early");
  return 8 + length;
}

/** Red, green, blue and 255 of each pixel of a WebP file; what it says of its own alpha is not looked at. */
async function opaquePixels(file, width, height) {
  const opaque = file.slice();
  opaque[24] &= ~ALPHA_USED; // else a canvas would premultiply
  const options = { premultiplyAlpha: "none", colorSpaceConversion: "none" };
  const bitmap = await createImageBitmap(new Blob([opaque], { type: "image/webp" }), options).catch((error) => {
    throw new FormatError(`alpha: damaged (${error.message})`);
  });
  const context = new OffscreenCanvas(width, height).getContext("2d", { alpha: false, willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context.getImageData(0, 0, width, height).data;
}
