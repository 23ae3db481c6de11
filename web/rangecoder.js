/**
 * The range decoder (FORMAT.md, section 8.1): bytes to symbols, exactly.
 *
 * Numbers of 64 bits are pairs of 32, since those of JavaScript hold 53. Of the stream's `point` and `low` only the
 * difference is kept: what a symbol moves `low` by is taken from it.
 */

import { FormatError } from "./errors.js";

const HIGH = 2 ** 32; // a unit of the upper half
const TOTAL = 2 ** 24; // sum of all frequencies of a table

/** Reads symbols from a payload (Uint8Array); past its end there are zeros. */
export class RangeDecoder {
  #words;
  #next = 0; // word to be read
  #above; // point - low, its upper and lower 32 bits
  #below;
  #unit = 2 ** 40 - 1; // range >> 24, below 2^40
  #productAbove; // what `#multiply` gives
  #productBelow;

  constructor(payload) {
    const whole = new Uint8Array(4 * Math.ceil(payload.length / 4));
    whole.set(payload);
    const view = new DataView(whole.buffer);
    this.#words = Uint32Array.from({ length: whole.length / 4 }, (_, i) => view.getUint32(4 * i, true));
    this.#above = this.#word();
    this.#below = this.#word();
  }

  /**
   * A symbol of the table whose frequencies are `lefts[start + 1] - lefts[start]` and so on: its index, 0 to count - 1.
   *
   * lefts: Int32Array, the sum of the frequencies before each symbol of the table; `lefts[start + count]` is 2^24.
   */
  symbol(lefts, start, count) {
    const quantile = this.#quantile();
    let low = start; // lefts[low] <= quantile < lefts[high]
    let high = start + count;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (lefts[middle] <= quantile) low = middle;
      else high = middle;
    }
    this.#advance(lefts[low], lefts[low + 1] - lefts[low]);
    return low - start;
  }

  /** A number of 0 to count - 1, all of them equally frequent (section 8.2). */
  uniform(count) {
    const share = Math.floor(TOTAL / count);
    const value = Math.min(Math.floor(this.#quantile() / share), count - 1);
    this.#advance(share * value, value < count - 1 ? share : TOTAL - share * value);
    return value;
  }

  /** Where in 0 to 2^24 - 1 the next symbol lies; throws FormatError where the stream cannot be one. */
  #quantile() {
    const estimate = Math.floor((this.#above * HIGH + this.#below) / this.#unit); // of 53 bits: off by one at most
    if (estimate <= TOTAL) {
      let quantile = estimate;
      if (this.#compare(quantile) < 0) quantile--;
      else if (this.#compare(quantile + 1) >= 0) quantile++;
      if (quantile < TOTAL) return quantile;
    }
    throw new FormatError("the entropy-coded data is damaged: the range decoder reached an impossible state");
  }

  /** Go on behind a symbol. */
  #advance(left, frequency) {
    this.#multiply(left);
    this.#above -= this.#productAbove + (this.#below < this.#productBelow ? 1 : 0);
    this.#below = (this.#below - this.#productBelow) >>> 0;
    this.#multiply(frequency); // the range
    if (this.#productAbove === 0) {
      this.#above = this.#below;
      this.#below = this.#word();
      this.#unit = this.#productBelow * 256;
    } else {
      this.#unit = this.#productAbove * 256 + (this.#productBelow >>> 24);
    }
  }

  /** Below 0, 0 or above it as point - low is less than, equal to or more than unit x factor. */
  #compare(factor) {
    this.#multiply(factor);
    return this.#above - this.#productAbove || this.#below - this.#productBelow;
  }

  /** unit x factor, a factor up to 2^24, to its upper and lower 32 bits. */
  #multiply(factor) {
    const large = Math.floor(this.#unit / TOTAL); // below 2^16
    const small = (this.#unit - large * TOTAL) * factor; // below 2^48
    const middle = large * factor; // below 2^40, in units of 2^24
    const middleAbove = Math.floor(middle / 256);
    const smallAbove = Math.floor(small / HIGH);
    const below = small - smallAbove * HIGH + (middle - middleAbove * 256) * TOTAL; // below 2^33
    const carry = below >= HIGH ? 1 : 0;
    this.#productAbove = smallAbove + middleAbove + carry;
    this.#productBelow = below - carry * HIGH;
  }

  #word() {
    return this.#next < this.#words.length ? this.#words[this.#next++] : 0;
  }
}
