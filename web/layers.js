/**
 * Layers of exact integers (FORMAT.md, section 9.2).
 *
 * Sums of 8-bit products stay below 2^24, where float32 holds every integer: whoever computes a matrix product, in
 * whatever order, gets the same. What goes in and comes out are integers in Float32Arrays [channels, positions].
 */

const ACTIVATION_MAX = 255;

/**
 * A layer of weights [out, in] or [C, 9], biases [out] or [levels, out], and bits [out] that its sums are rounded by.
 *
 * product: (a [M, K], b [K, N]) to a promise of their matrix product [M, N], all Float32Arrays: `networks.product`.
 */
export class Layer {
  constructor(weight, bias, shift, product) {
    Object.assign(this, { weight, bias, shift, product, outputs: shift.length });
    this.inputs = weight.length / shift.length;
  }

  /**
   * The layer of this name among a model's tensors, whose names begin with "prior.".
   *
   * offset: bits, by output, that are rounded off beside those of the exponent.
   */
  static named(name, tensors, product, offset = () => 0) {
    const [weight, bias, exponent] = ["weight", "bias", "exponent"].map((part) => tensors[`prior.${name}.${part}`].data);
    const shift = Int32Array.from(exponent, (bits, output) => bits + offset(output));
    return new Layer(Float32Array.from(weight), bias, shift, product);
  }

  /** The layer of some of its outputs alone. */
  part(rows) {
    const weight = new Float32Array(rows.length * this.inputs);
    for (const [i, row] of rows.entries()) {
      weight.set(this.weight.subarray(row * this.inputs, (row + 1) * this.inputs), i * this.inputs);
    }
    const [bias, shift] = [this.bias, this.shift].map((all) => Int32Array.from(rows, (row) => all[row]));
    return new Layer(weight, bias, shift, this.product);
  }

  /** {weight, bias}, Float32Arrays as it has them, of which sums are its outputs once they are rounded down. */
  scaled() {
    const weight = Float32Array.from(this.weight);
    const bias = new Float32Array(this.outputs);
    for (let row = 0, at = 0; row < this.outputs; row++) {
      const unit = 2 ** -this.shift[row];
      bias[row] = this.bias[row] * unit + 0.5;
      for (const end = at + this.inputs; at < end; at++) weight[at] *= unit;
    }
    return { weight, bias };
  }

  /** Pointwise sums at x [in, N], rounded and clamped to activations: [out, N]. `kept` [out, N] is added before that. */
  async activate(x, { level = 0, kept = null } = {}) {
    const sums = await this.product(this.weight, x, this.outputs); // [out, N]
    const bias = this.bias.subarray(level * this.outputs); // [out]
    return this.rounded(sums, { bias, kept, low: 0, high: ACTIVATION_MAX });
  }

  /** Pointwise sums at x [in, N], rounded: [out, N]. */
  async round(x) {
    const sums = await this.product(this.weight, x, this.outputs); // [out, N]
    return this.rounded(sums, { bias: this.bias, low: -Infinity, high: Infinity });
  }

  /** Depthwise sums of 3x3 neighbourhoods of x [C, height width], rounded and clamped to activations: [C, N]. */
  spatial(x, height, width) {
    const out = new Float32Array(x.length);
    const row = width + 2; // of a plane with zeros around it
    const padded = new Float32Array((height + 2) * row);
    for (let channel = 0; channel < this.outputs; channel++) {
      const first = channel * height * width;
      for (let y = 0; y < height; y++) {
        padded.set(x.subarray(first + y * width, first + (y + 1) * width), (y + 1) * row + 1);
      }
      const [a, b, c, d, e, f, g, h, i] = this.weight.subarray(9 * channel, 9 * channel + 9);
      for (let y = 0, at = first; y < height; y++) {
        for (let p = y * row, q = p + row, r = q + row; p < y * row + width; p++, q++, r++) {
          out[at++] =
            a * padded[p] + b * padded[p + 1] + c * padded[p + 2] +
            d * padded[q] + e * padded[q + 1] + f * padded[q + 2] +
            g * padded[r] + h * padded[r + 1] + i * padded[r + 2];
        }
      }
    }
    return this.rounded(out, { bias: this.bias, low: 0, high: ACTIVATION_MAX });
  }

  /** Sums with their bias rounded, then `kept` added and clamped, in place: [out, N]. */
  rounded(sums, { bias, low, high, kept = null }) {
    const count = sums.length / this.outputs;
    for (let row = 0, at = 0; row < this.outputs; row++) {
      const shift = this.shift[row];
      const added = bias[row] + (1 << (shift - 1));
      for (const end = at + count; at < end; at++) {
        const output = ((sums[at] + added) >> shift) + (kept === null ? 0 : kept[at]);
        sums[at] = Math.min(Math.max(output, low), high);
      }
    }
    return sums;
  }
}

/** Three layers and what goes around them: activations [C, N] to activations [C, N]. */
export class Block {
  constructor(name, tensors, product) {
    const layers = ["inner", "spatial", "outer"].map((part) => Layer.named(`${name}.${part}`, tensors, product));
    [this.inner, this.middle, this.outer] = layers;
  }

  async activate(x, height, width) {
    const branch = this.middle.spatial(await this.inner.activate(x), height, width); // [C, N]
    return this.outer.activate(branch, { kept: x });
  }
}

/** [4 C, height width] to [C, 2 height 2 width]: channel 4 c + 2 i + j at (y, x) goes to c at (2 y + i, 2 x + j). */
export function shuffle(x, height, width) {
  const out = new Float32Array(x.length);
  const channels = x.length / (height * width);
  for (let channel = 0, at = 0; channel < channels; channel++) {
    const first = 4 * (channel >> 2) * height * width + 2 * width * ((channel >> 1) & 1) + (channel & 1);
    for (let y = 0; y < height; y++) {
      for (let column = 0; column < width; column++) out[first + 4 * width * y + 2 * column] = x[at++];
    }
  }
  return out;
}
