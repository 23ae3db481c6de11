/** Mirror of `StreamReader`: groups of symbols to a payload (FORMAT.md, sections 7, 8.2 and 8.3). */

import { RangeEncoder } from "./rangeencoder.js";
import { byTable } from "./stream.js";

const EXCESS_BITS = 24;

/** Writes the symbols of a payload, group after group; tables: `Tables`. */
export class StreamWriter {
  #encoder = new RangeEncoder();
  #tables;

  constructor(tables) {
    this.#tables = tables;
  }

  /** Residuals of a group, Int32Array [N], each with the table of its id [N]. */
  group(residuals, ids) {
    const { starts, lengths, lefts } = this.#tables;
    const escaped = [];
    for (const i of byTable(ids, this.#tables)) {
      const half = lengths[ids[i]] / 2 - 1;
      const inside = Math.abs(residuals[i]) <= half;
      if (!inside) escaped.push(i);
      const at = starts[ids[i]] + (inside ? residuals[i] + half : 2 * half + 1);
      this.#encoder.symbol(lefts[at], lefts[at + 1] - lefts[at]);
    }
    escaped.sort((a, b) => a - b);
    for (const i of escaped) this.#excess(residuals[i], lengths[ids[i]] / 2 - 1);
  }

  /** The payload, Uint8Array. */
  finish() {
    return this.#encoder.finish();
  }

  #excess(residual, half) {
    const excess = Math.abs(residual) - half;
    const bits = 32 - Math.clz32(excess);
    this.#encoder.uniform(bits - 1, EXCESS_BITS);
    if (bits > 1) this.#encoder.uniform(excess - 2 ** (bits - 1), 2 ** (bits - 1));
    this.#encoder.uniform(residual < 0 ? 1 : 0, 2);
  }
}
