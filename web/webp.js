/**
 * Samples without loss: WebP files of squares, one after the other, which the browser decodes (FORMAT.md, section 2.5).
 *
 * `what` is the name of what they hold, for errors.
 */

import { FormatError, LcqError } from "./errors.js";

const SIDE = 2048; // samples of a square
const HEAD = 25; // bytes of the WebP file up to its image data
const RIFF = [0x52, 0x49, 0x46, 0x46];
const WEBP_VP8L = [0x57, 0x45, 0x42, 0x50, 0x56, 0x50, 0x38, 0x4c];
const SIGNATURE = 47;
const ALPHA_USED = 0x10; // of the byte at offset 24
const TYPE = "image/webp";
const UNCHANGED = { premultiplyAlpha: "none", colorSpaceConversion: "none" };

/**
 * The WebP files of a tile of width x height and where they lie: {file, left, top, width, height}, their heads checked.
 *
 * count: files of each square. opaque: whether one that says it has alpha of its own is refused. Throws FormatError.
 */
export function split(data, width, height, what, { count = 1, opaque = false } = {}) {
  const found = [];
  for (let top = 0; top < height; top += SIDE) {
    for (let left = 0; left < width; left += SIDE) {
      const square = { left, top, width: Math.min(SIDE, width - left), height: Math.min(SIDE, height - top) };
      for (let number = 0; number < count; number++) {
        const length = checkedLength(data, square, what, opaque);
        found.push({ file: data.subarray(0, length), ...square });
        data = data.subarray(length);
      }
    }
  }
  if (data.length) throw new FormatError(`${what}: ${data.length} bytes too many`);
  return found;
}

/** Whether one of them says that it has alpha of its own. */
export function hasAlpha({ file }) {
  return Boolean(file[24] & ALPHA_USED);
}

/** Red, green, blue and alpha of each pixel of one of them, not premultiplied; where it has no alpha, that is 255. */
export async function pixels(square, what) {
  const way = globalThis.ImageDecoder ? decoded : hasAlpha(square) ? rendered : drawn;
  const found = await way(square).catch((error) => {
    throw error instanceof LcqError ? error : new FormatError(`${what}: damaged (${error.message})`);
  });
  if (!hasAlpha(square)) for (let at = 3; at < found.length; at += 4) found[at] = 255;
  return found;
}

/** By WebCodecs, which not every browser has. */
async function decoded(square) {
  const decoder = new ImageDecoder({ ...UNCHANGED, data: square.file, type: TYPE });
  try {
    const { image } = await decoder.decode();
    const { format } = image;
    const known = /^(RGB|BGR)[AX]$/.test(format);
    const found = new Uint8Array(4 * square.width * square.height);
    if (known) await image.copyTo(found);
    image.close();
    if (!known) return rendered(square);
    if (format.startsWith("B")) for (let at = 0; at < found.length; at += 4) [found[at], found[at + 2]] = [found[at + 2], found[at]];
    return found;
  } finally {
    decoder.close();
  }
}

/** By WebGL: a canvas for drawing would premultiply. */
async function rendered({ file, width, height }) {
  const bitmap = await createImageBitmap(new Blob([file], { type: TYPE }), UNCHANGED);
  const gl = new OffscreenCanvas(1, 1).getContext("webgl");
  if (!gl) throw new LcqError("this browser has neither WebCodecs nor WebGL, which colours with alpha take: open the file in another");
  gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, bitmap);
  bitmap.close();
  gl.bindFramebuffer(gl.FRAMEBUFFER, gl.createFramebuffer());
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, gl.getParameter(gl.TEXTURE_BINDING_2D), 0);
  const found = new Uint8Array(4 * width * height);
  gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, found);
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return found;
}

/** By a canvas, which is right where there is no alpha. */
async function drawn({ file, width, height }) {
  const bitmap = await createImageBitmap(new Blob([file], { type: TYPE }), UNCHANGED);
  const context = new OffscreenCanvas(width, height).getContext("2d", { alpha: false, willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context.getImageData(0, 0, width, height).data;
}

/** Bytes of the WebP file at the start of `data`; FormatError where it is not lossless or not of that size. */
function checkedLength(data, { width, height }, what, opaque) {
  if (data.length < HEAD) throw new FormatError(`${what}: ends too early`);
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const [length, chunk, bits] = [4, 16, 21].map((at) => view.getUint32(at, true));
  const tagged = RIFF.every((byte, i) => data[i] === byte) && WEBP_VP8L.every((byte, i) => data[8 + i] === byte);
  if (!tagged || data[20] !== SIGNATURE || length !== 12 + chunk + (chunk % 2)) {
    throw new FormatError(`${what}: is not a still lossless WebP file`);
  }
  const [across, down] = [(bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1];
  if (across !== width || down !== height) {
    throw new FormatError(`${what}: a tile of ${across}x${down} where ${width}x${height} belongs`);
  }
  if (opaque && data[24] & ALPHA_USED) throw new FormatError(`${what}: has alpha of its own`);
  if (data.length < 8 + length) throw new FormatError(`${what}: ends too early`);
  return 8 + length;
}
