/** The prior of lattice coordinates in exact integers (FORMAT.md, sections 7, 9.3 and 9.4). */

import { E8Points } from "./e8.js";
import { Hyper, clamped, symbolInputs } from "./hyper.js";
import { Block, Layer } from "./layers.js";
import { Tables } from "./stream.js";
import { TableIndex } from "./tables.js";

const STEPS = 4;
const RANKS = [0, 2, 3, 1]; // of 2 (row mod 2) + column mod 2: symbol (c, y, x) is of step rank XOR (c mod 4)
const LARGE = 64; // positions from which the context network is one graph
const MEAN_MAX = 511;
const SCALE_MAX = 63;

/**
 * The prior of a model, see `networks.Model`.
 *
 * Writing and reading have the same order:
 *
 *     prior.hyper.tables(height, width, level)               ids and bases of z
 *     view = await prior.view(z, height, width, level)
 *     for (const step of view.steps) {
 *       const { mean, scale } = await view.predict(step)     of the step's N symbols
 *       prior.points.tables(mean, scale)                     ids and bases of these, but with E8
 *       view.know(step, k)                                   Int32Array [N]
 *     }
 */
export class LatticePrior {
  constructor({ config, tensors, product, context }) {
    const index = new TableIndex(tensors);
    const tables = new Tables(tensors["prior.tables.frequencies"].data, tensors["prior.tables.offsets"].data);
    const doubled = "prior.e8.threshold" in tensors;
    this.points = doubled ? new E8Points(index, tables, tensors) : new IntegerPoints(index, tables);
    this.hyper = new Hyper(tensors, index, this.points.unit, product);
    this.context = new Context(config, tensors, product, context);
    this.compand = tensors["prior.compand"].data;
    this.latents = config.latents;
  }

  /** What is known of coordinates [M, height width] when of them only z is, at a level of 0 to 63. */
  async view(z, height, width, level) {
    return new View(this, await this.hyper.features(z, height, width, level), height, width);
  }
}

/** Points of the diagonal lattice: every coordinate is an integer and coded by itself. */
export class IntegerPoints {
  unit = 1;
  #index;

  constructor(index, tables) {
    this.#index = index;
    this.streamTables = tables;
  }

  /** Table ids and bases {ids, base} [N] of symbols with these outputs [N]. */
  tables(mean, scale) {
    return this.#index.lookUp(mean, scale);
  }

  /** Coordinates [N] with these outputs [N], from a stream. */
  read(mean, scale, reader) {
    const { ids, base } = this.tables(mean, scale);
    const k = reader.group(ids);
    for (let i = 0; i < k.length; i++) k[i] = clamped(k[i] + base[i]);
    return k;
  }
}

/** The context network: symbol inputs and features to means and scales. */
class Context {
  #adaptors;
  #blocks;
  #leave; // of each group of channels, those of c mod 4: M / 4 mean outputs, then as many scale outputs
  #graph; // `networks.context`
  #scaled; // layers of the graph that differ from step to step, by group for those of #leave

  constructor(config, tensors, product, graph) {
    const { latents, context_blocks } = config;
    const numbers = (count) => Array.from({ length: count }, (_, number) => number);
    this.#adaptors = numbers(STEPS).map((step) => Layer.named(`context.adaptors.${step}`, tensors, product));
    this.#blocks = numbers(context_blocks).map((i) => new Block(`context.blocks.${i}`, tensors, product));
    const leave = Layer.named("context.leave", tensors, product, (output) => (output < latents ? -1 : 2));
    const outputs = (group) => numbers(2 * latents).filter((output) => (output % latents) % STEPS === group);
    this.#leave = numbers(STEPS).map((group) => leave.part(outputs(group)));
    this.#graph = graph;
  }

  /**
   * What leaves the network in a step for each group of channels, before it is clamped: [M / 2, n] each.
   *
   * inputs: [M + F, height width]. places: of each group, its n positions.
   */
  async leaving(inputs, step, height, width, places) {
    if (Math.min(height, width) > 1 && height * width >= LARGE) return this.#inGraph(inputs, step, height, width);
    let x = await this.#adaptors[step].activate(inputs);
    for (const block of this.#blocks) x = await block.activate(x, height, width);
    const found = [];
    for (const [group, layer] of this.#leave.entries()) {
      found.push(await layer.round(gathered(x, height * width, places[group])));
    }
    return found;
  }

  /** The same, by onnxruntime-web as a whole. */
  async #inGraph(inputs, step, height, width) {
    this.#scaled ??= [this.#adaptors, this.#leave].map((layers) => layers.map((layer) => layer.scaled()));
    const [enter, leave] = this.#scaled;
    const ofPlaces = RANKS.map((rank) => leave[rank ^ step]);
    const outputs = await this.#graph(inputs, enter[step], ofPlaces, height, width);
    return this.#leave.map((_, group) => outputs[RANKS.indexOf(group ^ step)]);
  }
}

/**
 * What is known of a picture's coordinates: predict those of a step, then know them.
 *
 * known: Int32Array [M, height width], 0 where a coordinate is not known yet.
 */
class View {
  steps = [0, 1, 2, 3];
  #prior;
  #inputs; // [M + F, height width]
  #places; // positions of each rank, Int32Arrays

  constructor(prior, features, height, width) {
    Object.assign(this, { height, width, known: new Int32Array(prior.latents * height * width) });
    this.#prior = prior;
    this.#inputs = new Float32Array(this.known.length + features.length);
    this.#inputs.set(features, this.known.length);
    const ranks = Array.from({ length: height * width }, (_, at) => RANKS[2 * (Math.floor(at / width) % 2) + ((at % width) % 2)]);
    this.#places = this.steps.map((rank) => Int32Array.from(ranks.keys()).filter((at) => ranks[at] === rank));
  }

  /** Where the N symbols of a step lie in [M, height width], in natural order: Int32Array [N]. */
  own(step) {
    const count = this.height * this.width;
    const channels = Array.from({ length: this.#prior.latents }, (_, channel) => channel);
    return concatenated(channels.map((c) => this.#places[step ^ c % STEPS].map((at) => c * count + at)));
  }

  /** Mean and scale outputs {mean, scale} of a step's symbols, Int32Arrays [N] in natural order. */
  async predict(step) {
    const { context, latents } = this.#prior;
    const places = this.steps.map((group) => this.#places[step ^ group]);
    const leaving = await context.leaving(this.#inputs, step, this.height, this.width, places);
    const [means, scales] = [0, latents / STEPS].map((first) => {
      const rows = Array.from({ length: latents }, (_, channel) => {
        const [group, row] = [channel % STEPS, first + Math.floor(channel / STEPS)];
        const n = places[group].length;
        return leaving[group].subarray(row * n, (row + 1) * n);
      });
      return concatenated(rows);
    });
    return { mean: within(means, -MEAN_MAX, MEAN_MAX), scale: within(scales, 0, SCALE_MAX) };
  }

  /** The coordinates [N] of a step. */
  know(step, k) {
    const inputs = symbolInputs(k, this.#prior.compand);
    const own = this.own(step);
    for (let i = 0; i < own.length; i++) {
      this.known[own[i]] = k[i];
      this.#inputs[own[i]] = inputs[i];
    }
  }
}

/** Some positions' columns of x [C, count]: [C, n]. */
export function gathered(x, count, places) {
  const out = new Float32Array((x.length / count) * places.length);
  for (let row = 0, at = 0; row < x.length; row += count) {
    for (const place of places) out[at++] = x[row + place];
  }
  return out;
}

/** Typed arrays of integers, end to end: Int32Array. */
function concatenated(parts) {
  const out = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Integers clamped, in place. */
function within(values, low, high) {
  for (let i = 0; i < values.length; i++) values[i] = Math.min(Math.max(values[i], low), high);
  return values;
}
