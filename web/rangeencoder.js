/**
 * The range encoder (FORMAT.md, section 8.1): symbols to bytes, exactly.
 *
 * Numbers of 64 bits are pairs of 32, as in the decoder. A carry goes back into words that are written already.
 */

const HIGH = 2 ** 32; // a unit of the upper half
const TOTAL = 2 ** 24; // sum of all frequencies of a table

/** Writes symbols; `finish` gives the payload. */
export class RangeEncoder {
  #words = []; // those above `low`
  #above = 0; // low, its upper and lower 32 bits
  #below = 0;
  #unit = 2 ** 40 - 1; // range >> 24, below 2^40

  /** The symbol whose frequency follows behind those of `left` in all; the frequencies of a table sum to 2^24. */
  symbol(left, frequency) {
    const [above, below] = multiplied(this.#unit, left);
    this.#below += below;
    this.#above += above + (this.#below >= HIGH ? 1 : 0);
    this.#below %= HIGH;
    if (this.#above >= HIGH) {
      this.#above -= HIGH;
      this.#carry();
    }
    const [rangeAbove, rangeBelow] = multiplied(this.#unit, frequency);
    if (rangeAbove === 0) {
      this.#words.push(this.#above);
      this.#above = this.#below;
      this.#below = 0;
      this.#unit = rangeBelow * 256;
    } else {
      this.#unit = rangeAbove * 256 + (rangeBelow >>> 24);
    }
  }

  /** A number of 0 to count - 1, all of them equally frequent (section 8.2). */
  uniform(value, count) {
    const share = Math.floor(TOTAL / count);
    this.symbol(share * value, value < count - 1 ? share : TOTAL - share * value);
  }

  /** All bytes, Uint8Array; nothing can be written after it. */
  finish() {
    this.#words.push(this.#above);
    if (this.#below > 0) this.#carry();
    const bytes = new Uint8Array(4 * this.#words.length);
    const view = new DataView(bytes.buffer);
    this.#words.forEach((word, i) => view.setUint32(4 * i, word, true));
    return bytes.subarray(0, bytes.findLastIndex((byte) => byte !== 0) + 1);
  }

  /** Add one to what the written words say together. */
  #carry() {
    let at = this.#words.length - 1;
    while (this.#words[at] === HIGH - 1) this.#words[at--] = 0;
    this.#words[at]++;
  }
}

/** unit x factor, below 2^40 and up to 2^24: its upper and lower 32 bits. */
function multiplied(unit, factor) {
  const small = (unit % TOTAL) * factor; // below 2^48
  const large = Math.floor(unit / TOTAL) * factor; // below 2^40, in units of 2^24
  const below = (small % HIGH) + (large % 256) * TOTAL; // below 2^33
  return [Math.floor(small / HIGH) + Math.floor(large / 256) + Math.floor(below / HIGH), below % HIGH];
}
