/** From mean and scale outputs to table ids and bases (FORMAT.md, section 9.4). */

const MEAN_MAX = 511;
const SCALES = 64;

/** The look-ups of a model's tensors. */
export class TableIndex {
  #means;
  #shifts;
  #first;
  #all; // {ids, base} of every mean output with every scale output, scale by scale in each mean

  constructor(tensors) {
    const [means, shifts, first] = ["means", "shifts", "first"].map((name) => tensors[`prior.tables.${name}`].data);
    [this.#means, this.#shifts, this.#first] = [means, shifts, first];
    const count = means.length * SCALES;
    const mean = Int32Array.from({ length: count }, (_, i) => means[Math.floor(i / SCALES)]);
    this.#all = this.locate(mean, mean.map((_, i) => i % SCALES));
  }

  /** Table ids and the integers that residuals are relative to, {ids, base} Int32Arrays [N], of outputs Int32Arrays [N]. */
  lookUp(mean, scale) {
    const all = this.#all;
    const ids = new Int32Array(scale.length);
    const base = new Int32Array(scale.length);
    for (let i = 0; i < scale.length; i++) {
      const at = (mean[i] + MEAN_MAX) * SCALES + scale[i];
      ids[i] = all.ids[at];
      base[i] = all.base[at];
    }
    return { ids, base };
  }

  /** The mean in sixteenths of a step that a mean output stands for. */
  sixteenths(output) {
    return this.#means[output + MEAN_MAX];
  }

  /** As `lookUp`, from means in sixteenths of a step. */
  locate(sixteenths, scale) {
    const ids = new Int32Array(scale.length);
    const base = new Int32Array(scale.length);
    for (let i = 0; i < scale.length; i++) {
      const n = this.#shifts[scale[i]];
      const m = (((sixteenths[i] + ((1 << n) >> 1)) >> n) << n) + 8;
      base[i] = m >> 4;
      ids[i] = this.#first[scale[i]] + ((m & 15) >> n);
    }
    return { ids, base };
  }
}
