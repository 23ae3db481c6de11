/** Groups of symbols in a payload: sorted by table, escapes behind them (FORMAT.md, sections 7, 8.2 and 8.3). */

import { RangeDecoder } from "./rangecoder.js";

const EXCESS_BITS = 24;

/** Frequency tables laid end to end, from Int32Arrays of all frequencies and of the tables' offsets. */
export class Tables {
  constructor(frequencies, offsets) {
    this.count = offsets.length - 1;
    this.starts = new Int32Array(this.count); // of each table in `lefts`
    this.lengths = new Int32Array(this.count); // frequencies of each table
    this.lefts = new Int32Array(frequencies.length + this.count); // sums of the frequencies before, and 2^24 at the end
    for (let table = 0, at = 0; table < this.count; table++) {
      this.starts[table] = at;
      this.lengths[table] = offsets[table + 1] - offsets[table];
      for (let i = offsets[table], sum = 0; i <= offsets[table + 1]; i++) {
        this.lefts[at++] = sum;
        sum += frequencies[i];
      }
    }
  }

  /** These tables and more behind them. */
  joined(frequencies, offsets) {
    const both = new Tables(frequencies, offsets);
    const join = (a, b) => Int32Array.from([...a, ...b]);
    const starts = both.starts.map((start) => start + this.lefts.length);
    const joined = new Tables(new Int32Array(), new Int32Array(1));
    return Object.assign(joined, {
      count: this.count + both.count,
      starts: join(this.starts, starts),
      lengths: join(this.lengths, both.lengths),
      lefts: join(this.lefts, both.lefts),
    });
  }
}

/** Positions 0 to ids.length - 1, sorted by table id, those of equal id in natural order: Int32Array. */
export function byTable(ids, tables) {
  const ends = new Int32Array(tables.count + 1);
  for (let i = 0; i < ids.length; i++) ends[ids[i] + 1]++;
  for (let table = 0; table < tables.count; table++) ends[table + 1] += ends[table];
  const order = new Int32Array(ids.length);
  for (let i = 0; i < ids.length; i++) order[ends[ids[i]]++] = i;
  return order;
}

/** A payload's symbols, group after group; throws FormatError where the bytes cannot be a payload. */
export class StreamReader {
  #decoder;
  #tables;

  constructor(payload, tables) {
    this.#decoder = new RangeDecoder(payload);
    this.#tables = tables;
  }

  /** The residuals of a group, Int32Array [N], each with the table of its id [N]. */
  group(ids) {
    const { starts, lengths, lefts } = this.#tables;
    const residuals = new Int32Array(ids.length);
    const escaped = [];
    const order = byTable(ids, this.#tables);
    for (let at = 0; at < order.length; at++) {
      const i = order[at];
      const count = lengths[ids[i]];
      const symbol = this.#decoder.symbol(lefts, starts[ids[i]], count);
      if (symbol === count - 1) escaped.push(i);
      else residuals[i] = symbol - (count / 2 - 1);
    }
    escaped.sort((a, b) => a - b);
    for (const i of escaped) residuals[i] = this.#excess(lengths[ids[i]] / 2 - 1);
    return residuals;
  }

  /** A symbol with a table of its own; see `RangeDecoder.symbol`. */
  symbol(lefts, start, count) {
    return this.#decoder.symbol(lefts, start, count);
  }

  #excess(half) {
    const bits = this.#decoder.uniform(EXCESS_BITS) + 1;
    const low = bits > 1 ? this.#decoder.uniform(2 ** (bits - 1)) : 0;
    const magnitude = half + 2 ** (bits - 1) + low;
    return this.#decoder.uniform(2) ? -magnitude : magnitude;
  }
}
