/** Compresses pictures of 8-bit RGB with a `lattice` model, at effort 0: one pass and the nearest lattice points. */

import { checkReal, shown, tagOf, typeShown } from "./arguments.js";
import { crc32 } from "./crc32.js";
import { writeFile } from "./containerwriter.js";
import { ModelError, TargetError } from "./errors.js";
import { Header, PIXELS_MAX, TILE_UNIT } from "./header.js";
import { COORDINATE_MAX } from "./hyper.js";
import { kindOf, rateOf } from "./kinds.js";
import { listModels, loadModel } from "./networks.js";
import { grouped, roundHalfEven } from "./numbers.js";
import { pause, untilAborted } from "./pause.js";
import { StreamWriter } from "./streamwriter.js";
import { PATCH, grown, latentBox, parts } from "./tiling.js";

const MODELS = new URL("./models/", import.meta.url).href;
const HYPER = 4; // latent positions that one of z stands for, each way
const WHOLE_MAX = 2 ** 22; // pixels; larger pictures get tiles
const TILE = 768; // pixels a side
const BASIS_UNIT = 1024; // scales are in 1/1024 octave
const SIZE_MAX = 65_535; // pixels a side

/** A picture, ready to be compressed at any quality: its latents do not depend on that. */
export class PictureEncoder {
  #model;
  #picture;
  #latents; // y [M, h w]

  /**
   * Of {width, height, samples: Uint8Array [height, width, 3]} and the newest `lattice`; models: see `decode`.
   *
   * onProgress: called with the share that is done, 0 to 1. signal: an AbortSignal. Throws TargetError where the
   * picture is not such a one, and ModelError.
   */
  static async of(picture, { models = MODELS, onProgress = null, signal = null } = {}) {
    checkPicture(picture);
    const encoder = new PictureEncoder();
    encoder.#picture = picture;
    return untilAborted(() => encoder.#prepared(models, onProgress, signal), signal);
  }

  async #prepared(models, onProgress, signal) {
    const digest = await newestLattice(models);
    signal?.throwIfAborted();
    this.#model = await loadModel(digest, models);
    this.#latents = await analysed(this.#model, this.#picture, onProgress, signal);
    return this;
  }

  /**
   * The file, Uint8Array, at a quality of 0 to 100; onProgress, signal: as of `of`. Throws TargetError.
   *
   * tile: side of the tiles in pixels, a multiple of 64; by default that which suits the size, null for one tile.
   */
  async encode(quality, { tile = tileSide(this.#picture), onProgress = null, signal = null } = {}) {
    checkReal("quality", quality, 0, 100);
    if (tile !== null && !(Number.isInteger(tile) && tile > 0 && tile <= SIZE_MAX && tile % TILE_UNIT === 0)) {
      throw new TargetError(`a tile of ${shown(tile)} pixels a side; it must be a multiple of ${TILE_UNIT}, or null for one tile`);
    }
    const header = headerOf(this.#model.config, this.#picture, quality, tile);
    header.check(PIXELS_MAX);
    return untilAborted(() => this.#file(header, onProgress, signal), signal);
  }

  async #file(header, onProgress, signal) {
    const tiles = [];
    for (let number = 0; number < header.tiles; number++) {
      await pause(signal);
      tiles.push(await this.#tile(header, number, signal));
      signal?.throwIfAborted();
      onProgress?.((number + 1) / header.tiles);
    }
    return writeFile(header, tiles);
  }

  async #tile(header, number, signal) {
    const { config } = this.#model;
    const kind = kindOf(this.#model);
    const rate = rateOf(header.scale, config);
    const box = latentBox(header.box(number));
    const u = scaled(cut(this.#latents, latentBox(this.#whole), box), kind.basis(rate)); // [M, h w]
    this.#checkNumbers(u);
    const z = await this.#hyperLatents(u, box); // [Z, h/4 w/4]
    const { hyper, points } = kind.prior;
    const writer = new StreamWriter(points.streamTables);
    write(writer, z, hyper.tables(box.height, box.width, rate.level));
    const view = await kind.prior.view(z, box.height, box.width, rate.level);
    for (const step of view.steps) {
      await pause(signal);
      const { mean, scale } = await view.predict(step); // [N] each
      const k = Int32Array.from(view.own(step), (at) => nearest(u[at])); // [N]
      write(writer, k, points.tables(mean, scale));
      view.know(step, k);
    }
    return { payload: writer.finish(), indexCrc: crc32(new Uint8Array(view.known.buffer)) };
  }

  /** z of latents u [M, h w] in lattice steps: companded, edges repeated up to whole positions, rounded. */
  async #hyperLatents(u, { width, height }) {
    const latents = this.#model.config.latents;
    const [down, across] = [height, width].map((side) => HYPER * Math.ceil(side / HYPER));
    const data = new Float32Array(latents * down * across);
    for (let row = 0, at = 0; row < latents * down; row++) {
      const from = (Math.floor(row / down) * height + Math.min(row % down, height - 1)) * width;
      for (let x = 0; x < across; x++) data[at++] = Math.asinh(u[from + Math.min(x, width - 1)]) / 2;
    }
    const [z] = await this.#model.run("hyper_analysis", { u: { data, dims: [1, latents, down, across] } });
    this.#checkNumbers(z.data);
    return Int32Array.from(z.data, nearest);
  }

  /** Throws ModelError where some of what a network gave are no numbers, which integers do not show. */
  #checkNumbers(values) {
    if (values.every(Number.isFinite)) return;
    const told = "its networks give values that are not numbers";
    throw new ModelError(`model ${this.#model.config.name}: ${told}; take another model`);
  }

  get #whole() {
    return { left: 0, top: 0, width: this.#picture.width, height: this.#picture.height };
  }
}

/** Digest of the newest version of `lattice` among the models of a folder, see `loadModel`; throws ModelError. */
async function newestLattice(models) {
  const version = ({ name }) => Number(/^lattice(?:-([1-9]\d*))?$/.exec(name)?.[1] ?? (name === "lattice" ? 1 : 0));
  const found = (await listModels(models)).filter(version);
  if (!found.length) throw new ModelError(`${models}: has no model lattice, which compresses; web/export.py adds it`);
  return found.reduce((a, b) => (version(b) > version(a) ? b : a)).digest;
}

/** Throws TargetError where a picture is not what `PictureEncoder.of` takes. */
function checkPicture(picture) {
  if (typeof picture !== "object" || picture === null) {
    throw new TargetError(`a picture is given as {width, height, samples}, not as ${typeShown(picture)}`);
  }
  const { width, height, samples } = picture;
  checkSize(picture);
  const expected = 3 * width * height;
  if (!["Uint8Array", "Uint8ClampedArray"].includes(tagOf(samples)) || samples.length !== expected) {
    const given = `${grouped(Number(samples?.length) || 0)} in ${typeShown(samples)}`;
    const told = `RGB of ${width}x${height} pixels takes ${grouped(expected)} samples in Uint8Array, here are ${given}`;
    throw new TargetError(samples?.length === 4 * width * height ? `${told}; leave out alpha, every fourth` : told);
  }
}

/** Throws TargetError where a picture has other sides than a file can have. */
export function checkSize({ width, height }) {
  const whole = Number.isInteger(width) && Number.isInteger(height);
  if (!whole || Math.min(width, height) < 1 || Math.max(width, height) > SIZE_MAX || width * height > PIXELS_MAX) {
    throw new TargetError(`${shown(width)}x${shown(height)} pixels; each side must be 1 to 65,535 and the area at most 2^28`);
  }
}

/** The side that the tiles of a picture have; null where it is one. */
function tileSide({ width, height }) {
  return width * height > WHOLE_MAX ? TILE : null;
}

/** What the file of a picture says about itself. */
function headerOf(config, { width, height }, quality, tile) {
  const span = roundHalfEven(config.octaves * BASIS_UNIT);
  const [lowest, highest] = config.reach.map((t) => roundHalfEven(t * span));
  const fineness = roundHalfEven(lowest + (quality / 100) * (highest - lowest));
  return Object.assign(Object.create(Header.prototype), {
    width,
    height,
    channels: 3,
    depth: 8,
    quantizer: 1,
    family: 1,
    scale: -fineness,
    quality: (100 * (fineness - lowest)) / (highest - lowest),
    model: config.weights_sha256.slice(0, 16),
    tile,
  });
}

/** Latents y [M, h w] of a whole picture, analysed in areas with as much around them as the network sees. */
async function analysed(model, picture, onProgress, signal) {
  const { width, height } = picture;
  const [at8, at16] = model.config.analysis_blocks;
  const reach = at16 + Math.ceil(at8 / 2);
  const whole = latentBox({ left: 0, top: 0, width, height });
  const latents = new Float32Array(model.config.latents * whole.height * whole.width);
  const areas = parts({ left: 0, top: 0, width, height });
  for (const [number, area] of areas.entries()) {
    await pause(signal);
    const around = grown(area, PATCH * reach, width, height);
    const [y] = await model.run("analysis", { x: planes(picture, around) }); // [1, M, h', w']
    const box = latentBox(area);
    paste(latents, whole, cut(y.data, latentBox(around), box), box);
    signal?.throwIfAborted();
    onProgress?.((number + 1) / areas.length);
  }
  return latents;
}

/** A box of a picture as what the analysis takes, in [0, 1]; edges repeated up to whole latent positions. */
function planes({ width, samples }, box) {
  const [down, across] = [box.height, box.width].map((side) => PATCH * Math.ceil(side / PATCH));
  const data = new Float32Array(3 * down * across);
  for (let y = 0, at = 0; y < down; y++) {
    const row = (box.top + Math.min(y, box.height - 1)) * width + box.left;
    for (let x = 0; x < across; x++, at++) {
      const from = 3 * (row + Math.min(x, box.width - 1));
      for (let colour = 0; colour < 3; colour++) data[colour * down * across + at] = samples[from + colour] / 255;
    }
  }
  return { data, dims: [1, 3, down, across] };
}

/** What of values [C, h w] of latent positions `from` lies in `box`: Float32Array [C, h' w']. */
function cut(values, from, box) {
  const channels = values.length / (from.width * from.height);
  const out = new Float32Array(channels * box.height * box.width);
  for (let row = 0; row < channels * box.height; row++) {
    const start = rowStart(row, from, box);
    out.set(values.subarray(start, start + box.width), row * box.width);
  }
  return out;
}

/** Put values [C, h' w'] of latent positions `box` into those [C, h w] of `whole`. */
function paste(out, whole, values, box) {
  for (let row = 0; row < values.length / box.width; row++) {
    out.set(values.subarray(row * box.width, (row + 1) * box.width), rowStart(row, whole, box));
  }
}

/** Where a row of `box`, counted through all channels, begins in values of `whole`. */
function rowStart(row, whole, box) {
  const [channel, y] = [Math.floor(row / box.height), row % box.height];
  return (channel * whole.height + box.top - whole.top + y) * whole.width + box.left - whole.left;
}

/** Latents y [M, h w] in steps of the basis [M]. */
function scaled(y, basis) {
  const count = y.length / basis.length;
  return y.map((value, i) => value / basis[Math.floor(i / count)]);
}

function nearest(value) {
  return Math.min(Math.max(roundHalfEven(value), -COORDINATE_MAX), COORDINATE_MAX);
}

function write(writer, values, { ids, base }) {
  writer.group(values.map((value, i) => value - base[i]), ids);
}
