/** Which squares of 64 x 64 pixels have exact colours (FORMAT.md, section 2.6). */

import { FormatError } from "./errors.js";
import { grouped } from "./numbers.js";

const SQUARE = 64; // pixels a side

/** The squares of a picture of width x height, row by row; mask: Uint8Array, one bit each, null where none is exact. */
export class Squares {
  #mask;
  #width;
  #height;

  constructor(width, height, mask) {
    [this.#width, this.#height, this.#mask] = [width, height, mask];
  }

  /** Throws FormatError for a mask of other squares than the picture's. */
  check() {
    if (this.#mask === null) return;
    const count = this.#columns * Math.ceil(this.#height / SQUARE);
    const expected = Math.ceil(count / 8);
    if (this.#mask.length !== expected) {
      const told = `${grouped(this.#mask.length)} bytes for ${grouped(count)} squares`;
      throw new FormatError(`the mask of exact squares has ${told}: damaged`);
    }
    if (this.#mask.at(-1) & ((1 << (8 * expected - count)) - 1)) {
      throw new FormatError("the mask of exact squares has bits for more squares than there are: damaged");
    }
  }

  /** What of a box of pixels lies in squares that are exact, or in those that are not: a piece for each square. */
  *within(box, exact) {
    const [right, bottom] = [box.left + box.width, box.top + box.height];
    for (let top = Math.floor(box.top / SQUARE) * SQUARE; top < bottom; top += SQUARE) {
      for (let left = Math.floor(box.left / SQUARE) * SQUARE; left < right; left += SQUARE) {
        if (this.#exact((top / SQUARE) * this.#columns + left / SQUARE) !== exact) continue;
        const [x, y] = [Math.max(left, box.left), Math.max(top, box.top)];
        const [width, height] = [Math.min(left + SQUARE, right) - x, Math.min(top + SQUARE, bottom) - y];
        yield { left: x, top: y, width, height };
      }
    }
  }

  /** Whether any pixel of a box lies in a square that is exact, or in one that is not. */
  any(box, exact) {
    return !this.within(box, exact).next().done;
  }

  get #columns() {
    return Math.ceil(this.#width / SQUARE);
  }

  #exact(number) {
    return this.#mask !== null && Boolean((this.#mask[number >> 3] >> (7 - (number & 7))) & 1);
  }
}
