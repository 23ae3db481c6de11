/** Opens .lcq pictures in a browser: `decode`, `readHeader`, `toImageData`. The format is FORMAT.md's. */

import { decodeAlpha } from "./alpha.js";
import { asBytes, checkPositive } from "./arguments.js";
import { Reader } from "./container.js";
import { crc32 } from "./crc32.js";
import { ChecksumError, FormatError } from "./errors.js";
import { decodeExact } from "./exact.js";
import { PIXELS_MAX } from "./header.js";
import { checkHeader, kindOf, rateOf } from "./kinds.js";
import { loadModel } from "./networks.js";
import { paint } from "./painter.js";
import { pause, untilAborted } from "./pause.js";
import { gather, latentBox, needed } from "./tiling.js";

export { ChecksumError, FormatError, LcqError, LimitError, ModelError, TargetError, VersionError } from "./errors.js";

const MODELS = new URL("./models/", import.meta.url).href;

/**
 * The header of a file (Uint8Array or ArrayBuffer), see `Header`; its payloads need not be there. maxPixels: see `decode`.
 *
 * Throws FormatError, ChecksumError, VersionError or LimitError, and TargetError for arguments that are none.
 */
export function readHeader(bytes, { maxPixels = PIXELS_MAX } = {}) {
  return readerOf(bytes, maxPixels).header;
}

/**
 * A file (Uint8Array or ArrayBuffer) to a picture: {width, height, channels, depth, samples, header}.
 *
 * samples: Uint8Array or Uint16Array [height, width, channels], alpha last and not premultiplied.
 * onTile: called with {x, y, width, height, samples} for each tile once it is there, from the top left.
 * models: address of the folder with models; by default models/ beside this module.
 * maxPixels: of the picture; one of more is refused before any memory is taken.
 * signal: an AbortSignal; nothing is waited for once it says so.
 *
 * Throws an LcqError for bytes that are no sound file, or whose model is not there.
 */
export async function decode(bytes, { onTile = null, models = MODELS, maxPixels = PIXELS_MAX, signal = null } = {}) {
  return untilAborted(() => decoded(bytes, onTile, models, maxPixels, signal), signal);
}

async function decoded(bytes, onTile, models, maxPixels, signal) {
  const file = await opened(bytes, models, maxPixels);
  signal?.throwIfAborted();
  const { header, model } = file;
  const { width, height, channels, depth } = header;
  const length = width * height * channels;
  const samples = depth === 8 ? new Uint8Array(length) : new Uint16Array(length);
  model?.prepare("synthesis"); // is fetched while tiles are decoded
  const reach = model?.reach ?? 0;
  const tiles = new Map(); // index tensors that are still needed
  let next = 0; // tile to be painted
  for (let number = 0; number < header.tiles; number++) {
    await pause(signal);
    tiles.set(number, new Int16Array(await decodeTile(file, number, signal)));
    while (next < header.tiles && needed(header, header.box(next), reach).last <= number) {
      const own = header.box(next);
      const painted = await painting(file, next, tiles, signal);
      signal?.throwIfAborted();
      place(samples, width, channels, painted, own);
      onTile?.({ x: own.left, y: own.top, width: own.width, height: own.height, samples: painted });
      const kept = needed(header, own, reach).firstRow * header.columns;
      for (const done of tiles.keys()) if (done < kept) tiles.delete(done);
      next++;
      await pause(signal);
    }
  }
  return { width, height, channels, depth, samples, header };
}

/**
 * The index tensor of a file (Uint8Array or ArrayBuffer), {data: Int32Array, dims}, checked. Without a model it has no channels.
 *
 * models, maxPixels, signal: see `decode`; throws as that.
 */
export async function decodeIndices(bytes, { models = MODELS, maxPixels = PIXELS_MAX, signal = null } = {}) {
  return untilAborted(() => indicesOf(bytes, models, maxPixels, signal), signal);
}

async function indicesOf(bytes, models, maxPixels, signal) {
  const file = await opened(bytes, models, maxPixels);
  const { channels, positions } = shapeOf(file.model);
  const { header } = file;
  const tiles = new Map();
  for (let number = 0; number < header.tiles; number++) {
    await pause(signal);
    tiles.set(number, await decodeTile(file, number, signal));
  }
  const whole = latentBox({ left: 0, top: 0, width: header.width, height: header.height });
  const data = gather(header, tiles, whole, channels, positions);
  return { data, dims: [channels, positions * whole.height, positions * whole.width] };
}

/** A picture as `decode` gives it, or a tile of one with its `channels` and `depth`, as what a canvas takes. */
export function toImageData({ width, height, channels, depth, samples }) {
  const image = new ImageData(width, height);
  const out = image.data; // [height, width, 4]
  const scale = depth === 8 ? 1 : 257;
  const green = channels < 3 ? 0 : 1;
  const alpha = channels % 2 ? -1 : channels - 1;
  for (let from = 0, to = 0; from < samples.length; from += channels, to += 4) {
    out[to] = Math.round(samples[from] / scale);
    out[to + 1] = Math.round(samples[from + green] / scale);
    out[to + 2] = Math.round(samples[from + 2 * green] / scale);
    out[to + 3] = alpha < 0 ? 255 : Math.round(samples[from + alpha] / scale);
  }
  return image;
}

function readerOf(bytes, maxPixels) {
  checkPositive("maxPixels", maxPixels);
  return new Reader(asBytes(bytes), maxPixels);
}

/** {header, tiles, model} of a file, all of which is checked but what is in the payloads; model: null where none is named. */
async function opened(bytes, models, maxPixels) {
  const reader = readerOf(bytes, maxPixels);
  reader.checkLength();
  const { header } = reader;
  const tiles = Array.from({ length: header.tiles }, (_, number) => reader.tile(number));
  if (!header.namesModel) return { header, tiles, model: null };
  const model = await loadModel(header.model, models);
  checkHeader(header, model);
  return { header, tiles, model };
}

/** The index tensor of a tile, Int32Array. */
async function decodeTile({ header, tiles, model }, number, signal) {
  const box = header.box(number);
  const { width, height } = latentBox(box);
  const { payload, indexCrc } = tiles[number];
  let indices;
  if (!header.squares.any(box, false) && payload.every((byte) => byte === 0)) {
    const { channels, positions } = shapeOf(model);
    indices = new Int32Array(channels * positions ** 2 * height * width); // a tile that is wholly exact
  } else if (model === null) {
    const told = "it has more than exact colours and names no model";
    throw new FormatError(`tile ${number}: ${told}, the file is damaged`);
  } else {
    const rate = rateOf(header.scale, model.config);
    indices = await ofTile(number, () => kindOf(model).decode(payload, rate, height, width, signal));
  }
  if (crc32(littleEndian(indices)) !== indexCrc) {
    const told = "the decoded indices do not match their checksum";
    throw new ChecksumError(`tile ${number}: ${told}, the file is damaged`);
  }
  return indices;
}

/** What comes of the contents of a tile; what is wrong inside with them says which it is. */
async function ofTile(number, decode) {
  try {
    return await decode();
  } catch (error) {
    if (error instanceof FormatError) error.message = `tile ${number}: ${error.message}`;
    throw error;
  }
}

/** Channels of the index tensor, and its positions for a latent position, each way. */
function shapeOf(model) {
  return model === null ? { channels: 0, positions: 1 } : kindOf(model);
}

/** The samples of a tile; `tiles` are the index tensors of those that it depends on, by number. */
async function painting({ header, tiles: coded, model }, number, tiles, signal) {
  const box = header.box(number);
  const { width, height } = box;
  const { channels, colours, depth } = header;
  const length = width * height * channels;
  const samples = depth === 8 ? new Uint8Array(length) : new Uint16Array(length);
  if (header.squares.any(box, false)) await paint(samples, model, header, tiles, box, signal);
  let alpha = null; // [height, width]
  if (coded[number].exact.length) {
    const opaque = !header.alpha || coded[number].alpha.length > 0;
    const exact = await ofTile(number, () => decodeExact(coded[number].exact, width, height, colours, depth, opaque));
    alpha = exact.alpha;
    for (const piece of header.squares.within(box, true)) {
      for (let y = piece.top - box.top; y < piece.top - box.top + piece.height; y++) {
        const first = y * width + piece.left - box.left;
        for (let at = first; at < first + piece.width; at++) {
          for (let colour = 0; colour < colours; colour++) samples[at * channels + colour] = exact.colour[at * colours + colour];
        }
      }
    }
  }
  if (header.alpha) {
    alpha ??= await ofTile(number, () => decodeAlpha(coded[number].alpha, width, height, depth));
    alpha.forEach((value, at) => (samples[channels * at + colours] = value));
  }
  return samples;
}

/** Int32Array as the bytes that checksums are of. */
function littleEndian(values) {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength); // as every browser's machine has it
}

/** Put the samples of a box into those of a picture. */
function place(samples, width, channels, painted, box) {
  const row = box.width * channels;
  for (let y = 0; y < box.height; y++) {
    samples.set(painted.subarray(y * row, (y + 1) * row), ((box.top + y) * width + box.left) * channels);
  }
}
