/** The prior of codebooks' indices in exact integers (FORMAT.md, section 9.6). */

import { Hyper } from "./hyper.js";
import { Block, Layer } from "./layers.js";
import { pause } from "./pause.js";
import { gathered } from "./prior.js";
import { Tables } from "./stream.js";
import { TableIndex } from "./tables.js";

const PASSES = 2;
const BLOCK = 4096; // positions that all groups code one after the other
const TOTAL = 2 ** 24; // sum of the frequencies of a table

/** The prior of a model: its configuration, its tensors by name, and `networks.product`. */
export class CategoricalPrior {
  constructor(config, tensors, product) {
    const index = new TableIndex(tensors);
    const numbers = (count, first = 0) => Array.from({ length: count }, (_, number) => first + number);
    const units = tensors["prior.context.leave.weight"].dims[1];
    const merge = Layer.named("context.merge", tensors, product);
    const leave = Layer.named("context.leave", tensors, product, () => 1);
    this.streamTables = new Tables(tensors["prior.tables.frequencies"].data, tensors["prior.tables.offsets"].data);
    this.hyper = new Hyper(tensors, index, 1, product);
    this.adaptors = numbers(PASSES).map((pass) => Layer.named(`context.adaptors.${pass}`, tensors, product));
    this.blocks = numbers(config.context_blocks).map((i) => new Block(`context.blocks.${i}`, tensors, product));
    this.merge = config.groups.map((_, group) => merge.part(numbers(units, group * units)));
    this.leave = config.groups.map((_, group) => leave.part(numbers(config.codes, group * config.codes)));
    this.powers = tensors["prior.powers"].data;
    this.codewords = tensors["prior.codewords"].data; // [K, M]
    this.config = config;
  }

  /** Indices Int32Array [G, height width] from a stream, of which z was read. signal: an AbortSignal, or null. */
  async read(z, height, width, level, reader, signal) {
    const { groups, codes, latents } = this.config;
    const count = height * width;
    const features = await this.hyper.features(z, height, width, level); // [F, height width]
    const inputs = new Float32Array(latents * count + features.length);
    inputs.set(features, latents * count);
    const indices = new Int32Array(groups.length * count);
    const positions = Int32Array.from({ length: count }, (_, at) => at);
    for (let pass = 0; pass < PASSES; pass++) {
      const hidden = await this.#hidden(inputs, pass, height, width, signal); // [W, height width]
      const own = positions.filter((at) => (Math.floor(at / width) + (at % width)) % 2 === pass);
      for (let start = 0; start < own.length; start += BLOCK) {
        const places = own.subarray(start, start + BLOCK); // [n]
        const x = new Float32Array((hidden.length / count + latents) * places.length); // [W + M, n]
        x.set(gathered(hidden, count, places));
        let first = 0; // channel of the group
        for (const [group, width] of groups.entries()) {
          await pause(signal);
          const merged = await this.merge[group].activate(x); // [U, n]
          const logits = await this.leave[group].round(merged); // [K, n]
          const known = x.subarray((hidden.length / count + first) * places.length); // of the group's channels on
          for (const [i, at] of places.entries()) {
            const index = reader.symbol(this.#lefts(logits, i, places.length), 0, codes);
            indices[group * count + at] = index;
            for (let channel = 0; channel < width; channel++) {
              const input = this.codewords[index * latents + first + channel];
              known[channel * places.length + i] = input;
              inputs[(first + channel) * count + at] = input;
            }
          }
          first += width;
        }
      }
    }
    return indices;
  }

  async #hidden(inputs, pass, height, width, signal) {
    let x = await this.adaptors[pass].activate(inputs);
    for (const block of this.blocks) {
      await pause(signal);
      x = await block.activate(x, height, width);
    }
    return x;
  }

  /** Sums of the frequencies before each of K indices, and 2^24, of column i of logits [K, n]: Int32Array [K + 1]. */
  #lefts(logits, i, n) {
    const { codes } = this.config;
    let most = -Infinity;
    for (let at = i; at < logits.length; at += n) most = Math.max(most, logits[at]);
    const weights = new Float64Array(codes);
    let sum = 0;
    for (let k = 0, at = i; k < codes; k++, at += n) {
      weights[k] = this.powers[Math.min(most - logits[at], this.powers.length - 1)];
      sum += weights[k];
    }
    let [missing, largest] = [TOTAL, 0];
    for (let k = 0; k < codes; k++) {
      weights[k] = 1 + Math.floor((weights[k] * (TOTAL - codes)) / sum); // of products below 2^44: exact
      missing -= weights[k];
      if (weights[k] > weights[largest]) largest = k;
    }
    weights[largest] += missing;
    const lefts = new Int32Array(codes + 1);
    for (let k = 0; k < codes; k++) lefts[k + 1] = lefts[k] + weights[k];
    return lefts;
  }
}
