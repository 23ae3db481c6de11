/** Hyper-latents z, and the features that they turn into (FORMAT.md, sections 9.2 and 9.3). */

import { Block, Layer, shuffle } from "./layers.js";

const HYPER = 4; // latent positions that one of z stands for, each way
const LEVELS = 64;
export const COORDINATE_MAX = 32_767;

/** Coordinates (Int32Array) in units of 1 / unit of a step to symbol inputs -127 to 127 (Float32Array). */
export function symbolInputs(values, compand, unit = 1) {
  const inputs = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const input = compand[Math.min(Math.abs(values[i] * unit), compand.length - 1)];
    inputs[i] = values[i] < 0 ? -input : input;
  }
  return inputs;
}

/** The clamp of every coordinate that is decoded. */
export function clamped(value) {
  return Math.min(Math.max(value, -COORDINATE_MAX), COORDINATE_MAX);
}

/** The hyperprior of a model. unit: of the model's coordinates, 2 where they are doubled. */
export class Hyper {
  #z; // [2, levels, Z] mean and scale outputs
  #compand;
  #enter;
  #block;
  #leave;

  constructor(tensors, index, unit, product) {
    this.index = index;
    this.unit = unit;
    this.channels = tensors["prior.z"].dims[2];
    this.#z = tensors["prior.z"].data;
    this.#compand = tensors["prior.compand"].data;
    this.#enter = Layer.named("hyper.enter", tensors, product);
    this.#block = new Block("hyper.block", tensors, product);
    this.#leave = Layer.named("hyper.leave", tensors, product);
  }

  /** Table ids and bases {ids, base} of z [Z, h/4, w/4] at a level, for latents of height x width. */
  tables(height, width, level) {
    const positions = Math.ceil(height / HYPER) * Math.ceil(width / HYPER);
    const rows = [0, 1].map((part) => {
      const own = this.#z.subarray((part * LEVELS + level) * this.channels);
      return Int32Array.from({ length: this.channels * positions }, (_, i) => own[Math.floor(i / positions)]);
    });
    return this.index.lookUp(...rows);
  }

  /** z [Z, h/4, w/4] of latents of height x width, read from a stream. */
  read(height, width, level, reader) {
    const { ids, base } = this.tables(height, width, level);
    return reader.group(ids).map((residual, i) => clamped(residual + base[i]));
  }

  /** z [Z, h/4, w/4] to a promise of features [F, height width], for latents of height x width. */
  async features(z, height, width, level) {
    const [rows, columns] = [Math.ceil(height / HYPER), Math.ceil(width / HYPER)];
    let x = symbolInputs(z, this.#compand, this.unit); // [Z, rows columns]
    x = shuffle(await this.#enter.activate(x, { level }), rows, columns); // [W, 2 rows 2 columns]
    x = await this.#block.activate(x, 2 * rows, 2 * columns);
    x = shuffle(await this.#leave.activate(x), 2 * rows, 2 * columns); // [F, 4 rows 4 columns]
    return cropped(x, HYPER * rows, HYPER * columns, height, width);
  }
}

/** The first `height` rows and `width` columns of planes [C, rows columns]. */
function cropped(x, rows, columns, height, width) {
  if (rows === height && columns === width) return x;
  const channels = x.length / (rows * columns);
  const out = new Float32Array(channels * height * width);
  for (let channel = 0, at = 0; channel < channels; channel++) {
    for (let y = 0; y < height; y++, at += width) {
      const first = (channel * rows + y) * columns;
      out.set(x.subarray(first, first + width), at);
    }
  }
  return out;
}
