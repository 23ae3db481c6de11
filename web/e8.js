/** Steps of family 3: E8 points where the predicted scale is large, integers elsewhere (FORMAT.md, section 9.5). */

import { clamped } from "./hyper.js";

const BLOCK = 8;
const BITS = 128; // tables of single bits
const ONE = 4096; // of rho and its products

/** Points of E8 or of the integers; coordinates are doubled. */
export class E8Points {
  unit = 2;
  #index;
  #threshold;
  #even;
  #rho;
  #bit; // id of the first table of a bit

  constructor(index, tables, tensors) {
    const [threshold, even, rho, frequencies, offsets] = ["threshold", "even", "rho", "frequencies", "offsets"].map(
      (name) => tensors[`prior.e8.${name}`].data,
    );
    this.#index = index;
    this.#threshold = threshold[0];
    [this.#even, this.#rho] = [even, rho];
    this.#bit = tables.count;
    this.streamTables = tables.joined(frequencies, offsets);
  }

  /** Doubled coordinates [N] of a step with these outputs [N], from a stream. */
  read(mean, scale, reader) {
    const { alone, blocks } = this.#split(scale);
    const k = new Int32Array(scale.length);
    const { ids, base } = this.#index.lookUp(alone.map((at) => mean[at]), alone.map((at) => scale[at]));
    reader.group(ids).forEach((residual, i) => (k[alone[i]] = 2 * (residual + base[i])));
    if (blocks.length) this.#readBlocks(blocks, mean, scale, reader, k);
    return k.map(clamped);
  }

  /** Coordinates of blocks, positions [8 B], to their places in k. */
  #readBlocks(blocks, mean, scale, reader, k) {
    const both = [0, 1].map((coset) => this.#located(blocks, mean, scale, coset));
    const count = blocks.length / BLOCK;
    const weights = both.map(({ sums }) => Int32Array.from({ length: count }, (_, b) => ONE + sums[9 * b]));
    const cosets = this.#readBits(weights[0], weights[1], reader);
    const own = (name, i) => both[cosets[Math.floor(i / BLOCK)]][name][i];
    const parity = new Int32Array(blocks.length);
    const sum = new Int32Array(count); // of the parities of a block so far
    for (let column = 0; column < BLOCK - 1; column++) {
      const [zero, one] = [new Float64Array(count), new Float64Array(count)];
      for (let b = 0; b < count; b++) {
        const rho = own("rho", BLOCK * b + column);
        const rest = (sum[b] % 2 ? -1 : 1) * both[cosets[b]].sums[9 * b + column + 1];
        zero[b] = (ONE + rho) * (ONE + rest);
        one[b] = (ONE - rho) * (ONE - rest);
      }
      this.#readBits(zero, one, reader).forEach((bit, b) => {
        parity[BLOCK * b + column] = bit;
        sum[b] += bit;
      });
    }
    sum.forEach((total, b) => (parity[BLOCK * b + BLOCK - 1] = total % 2));
    const q = parity.map((bit, i) => bit ^ (own("base", i) & 1));
    const residuals = reader.group(q.map((bit, i) => this.#even[own("ids", i)] + bit));
    residuals.forEach((j, i) => (k[blocks[i]] = 2 * (own("base", i) + 2 * j + q[i]) + cosets[Math.floor(i / BLOCK)]));
  }

  /** Positions coded alone, in natural order, and those of blocks, eight after the other by rising scale. */
  #split(scale) {
    const positions = Int32Array.from(scale.keys());
    const large = [...positions.filter((at) => scale[at] >= this.#threshold)].sort((a, b) => scale[a] - scale[b] || a - b);
    const blocks = Int32Array.from(large.slice(large.length % BLOCK));
    const taken = new Set(blocks);
    return { alone: positions.filter((at) => !taken.has(at)), blocks };
  }

  /** Table ids, bases and rho [8 B], and products S_0 to S_8 [9 B], of the integers of blocks in one coset. */
  #located(blocks, mean, scale, coset) {
    const sixteenths = blocks.map((at) => this.#index.sixteenths(mean[at]) - 8 * coset);
    const { ids, base } = this.#index.locate(sixteenths, blocks.map((at) => scale[at]));
    const rho = ids.map((id, i) => (base[i] & 1 ? -this.#rho[id] : this.#rho[id]));
    const sums = new Int32Array((blocks.length / BLOCK) * 9).fill(ONE);
    for (let b = 0; b < blocks.length / BLOCK; b++) {
      for (let i = BLOCK - 1; i >= 0; i--) sums[9 * b + i] = (sums[9 * b + i + 1] * rho[BLOCK * b + i]) >> 12;
    }
    return { ids, base, rho, sums };
  }

  /** A bit of each block, of weights [B] for 0 and for 1. */
  #readBits(zero, one, reader) {
    const ids = Int32Array.from(zero, (weight, b) => {
      const level = Math.floor((weight * BITS) / (weight + one[b]));
      return this.#bit + Math.min(Math.max(level, 0), BITS - 1);
    });
    return reader.group(ids).map((residual) => residual & 1);
  }
}
