/** Kinds of models: payloads to index tensors, and these to what the synthesis is given (FORMAT.md, sections 9 and 10). */

import { CategoricalPrior } from "./categorical.js";
import { ModelError } from "./errors.js";
import { roundHalfEven } from "./numbers.js";
import { pause } from "./pause.js";
import { LatticePrior } from "./prior.js";
import { StreamReader } from "./stream.js";

const LEVELS = 64;
const BASIS_UNIT = 1024; // scales and entries of a basis are in 1/1024 octave

/** {fineness, level, t}: what a header's scale means for a model, t the number that the synthesis is given. */
export function rateOf(scale, config) {
  const span = roundHalfEven(config.octaves * BASIS_UNIT);
  const level = Math.floor((-2 * scale * (LEVELS - 1) + span) / (2 * span));
  return { fineness: -scale, level: Math.min(Math.max(level, 0), LEVELS - 1), t: -scale / span };
}

/** Models on a lattice; the index tensor is [M, h, w]. */
export class Lattice {
  positions = 1; // of the index tensor for a latent position, each way
  #model;

  constructor(model) {
    this.#model = model;
    this.channels = model.config.latents;
    this.prior = new LatticePrior(model);
  }

  /** Throws ModelError where a header's basis is not one of the model. */
  checkBasis(basis) {
    if (basis !== null && basis.length !== this.channels) {
      const told = `the file's basis has ${basis.length} entries where its model has ${this.channels}`;
      throw new ModelError(`${told}: damaged`);
    }
  }

  /** Index tensor Int32Array [M, h, w] of a payload of h x w latent positions. signal: an AbortSignal, or null. */
  async decode(payload, rate, height, width, signal) {
    const { hyper, points } = this.prior;
    const reader = new StreamReader(payload, points.streamTables);
    const z = hyper.read(height, width, rate.level, reader);
    const view = await this.prior.view(z, height, width, rate.level);
    for (const step of view.steps) {
      await pause(signal);
      const { mean, scale } = await view.predict(step); // [N] each
      view.know(step, points.read(mean, scale, reader));
    }
    return view.known;
  }

  /** Index tensor [M, h w] to what the synthesis is given, Float32Array [M, h w]. */
  values(indices, rate, basis) {
    const steps = this.basis(rate, basis); // [M]
    const count = indices.length / this.channels;
    const out = new Float32Array(indices.length);
    for (let channel = 0, at = 0; channel < this.channels; channel++) {
      const step = steps[channel] / this.prior.points.unit;
      for (const end = at + count; at < end; at++) out[at] = indices[at] * step;
    }
    return out;
  }

  /** Diagonal of the basis [M]: the model's own at a rate, or the one of a file. */
  basis(rate, entries = null) {
    if (entries !== null) return Float64Array.from(entries, (entry) => 2 ** (entry / BASIS_UNIT));
    return basisAt(rate, this.#model.tensors);
  }
}

/** Models with codebooks; the index tensor is [G, h, w]. */
class Codebook {
  positions = 1;
  #model;

  constructor(model) {
    this.#model = model;
    this.channels = model.config.groups.length;
    this.prior = new CategoricalPrior(model.config, model.tensors, model.product);
  }

  checkBasis(basis) {
    if (basis !== null) {
      const { name } = this.#model.config;
      throw new ModelError(`the file has a lattice basis where its model ${name} has codebooks: damaged`);
    }
  }

  async decode(payload, rate, height, width, signal) {
    const reader = new StreamReader(payload, this.prior.streamTables);
    const z = this.prior.hyper.read(height, width, rate.level, reader);
    return this.prior.read(z, height, width, rate.level, reader, signal);
  }

  values(indices, rate) {
    const { config, tensors } = this.#model;
    const { data, dims } = tensors["quantizer.codebooks"]; // [K, M], or one for all groups, as wide as the widest
    const steps = basisAt(rate, tensors); // [M]
    const count = indices.length / config.groups.length;
    const out = new Float32Array(config.latents * count);
    let channel = 0;
    for (const [group, width] of config.groups.entries()) {
      const first = dims[1] === config.latents ? channel : 0;
      for (let own = 0; own < width; own++, channel++) {
        for (let at = 0; at < count; at++) {
          const code = indices[group * count + at];
          out[channel * count + at] = data[code * dims[1] + first + own] * steps[channel];
        }
      }
    }
    return out;
  }
}

/** The same with several codebooks; the index tensor is [2, S h, S w], S^2 = G: number of the codebook, index in it. */
class Adaptive extends Codebook {
  #groups;
  #ends; // of each codebook in the index that counts through all of them

  constructor(model) {
    super(model);
    this.#groups = model.config.groups.length;
    this.#ends = model.config.books.map((_, book) => model.config.books.slice(0, book + 1).reduce((a, b) => a + b));
    this.positions = Math.sqrt(this.#groups);
    this.channels = 2;
  }

  async decode(payload, rate, height, width, signal) {
    const joint = await super.decode(payload, rate, height, width, signal); // [G, h, w]
    const out = new Int32Array(2 * joint.length);
    this.#places(height, width).forEach((place, i) => {
      const book = this.#ends.findIndex((end) => joint[i] < end);
      out[place] = book;
      out[joint.length + place] = joint[i] - (book ? this.#ends[book - 1] : 0);
    });
    return out;
  }

  values(indices, rate, basis, height, width) {
    const half = indices.length / 2;
    const joint = this.#places(height, width).map((place) => {
      const book = indices[place];
      return indices[half + place] + (book ? this.#ends[book - 1] : 0);
    });
    return super.values(joint, rate);
  }

  /** Where entry i of [G, h, w] stands in [S h, S w]. */
  #places(height, width) {
    const side = this.positions;
    return Int32Array.from({ length: this.#groups * height * width }, (_, i) => {
      const [group, at] = [Math.floor(i / (height * width)), i % (height * width)];
      const row = side * Math.floor(at / width) + Math.floor(group / side);
      return row * side * width + side * (at % width) + (group % side);
    });
  }
}

/** By config.quantizer: the number and family that their files have, and the class. */
const KINDS = {
  lattice: { format: [1, 1], kind: Lattice },
  "lattice-e8": { format: [1, 3], kind: Lattice },
  vq: { format: [2, 1], kind: Codebook },
  adaptive: { format: [3, 1], kind: Adaptive },
  rotation: { format: [4, 1], kind: Codebook },
};

const kinds = new WeakMap(); // by model

/** What codes the latents of a model; throws ModelError where that is not known. */
export function kindOf(model) {
  if (!kinds.has(model)) {
    const { name, quantizer } = model.config;
    if (!(quantizer in KINDS)) {
      const known = Object.keys(KINDS).join(", ");
      throw new ModelError(`model ${name}: unknown quantizer '${quantizer}'; this version knows ${known}`);
    }
    kinds.set(model, new KINDS[quantizer].kind(model));
  }
  return kinds.get(model);
}

/** Throws ModelError where a header does not fit its model. */
export function checkHeader(header, model) {
  const kind = kindOf(model);
  const [quantizer, family] = KINDS[model.config.quantizer].format;
  if (header.quantizer !== quantizer || header.family !== family) {
    const told = `the file has quantizer ${header.quantizer}, family ${header.family} where its model has another`;
    throw new ModelError(`${told}: damaged`);
  }
  kind.checkBasis(header.basis);
}

function basisAt(rate, tensors) {
  return Float64Array.from(tensors["quantizer.log_basis"].data, (log) => Math.exp(log) * 2 ** (rate.fineness / -BASIS_UNIT));
}
