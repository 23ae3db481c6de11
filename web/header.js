/** What the header of a file says, and its legal ranges (FORMAT.md, sections 2.1 and 3). */

import { FormatError, LimitError, VersionError } from "./errors.js";
import { grouped } from "./numbers.js";
import { Squares } from "./squares.js";

const SIZE_MAX = 65_535; // pixels a side
export const PIXELS_MAX = 2 ** 28; // pixels a picture
export const TILE_UNIT = 64; // the side of a tile is a multiple of it
const TILES_MAX = 2 ** 16; // tiles a picture
const QUALITY_UNIT = 256;
const QUALITY_MAX = 100;
const NO_MODEL = "0".repeat(16); // of a picture that is wholly exact
const QUANTIZERS = ["1,1", "1,3", "2,1", "3,1", "4,1"]; // with their families

/**
 * What a file says about itself.
 *
 * width, height: pixels. channels: 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha. depth: bits a sample, 8 or 16.
 * model: the digest of its weights, 16 hexadecimal digits. scale: in 1/1024 octave. quality: 0 to 100.
 * quantizer, family: numbers of the format. tile: side of a tile in pixels, null where the picture is one.
 * version: [major, minor]. basis: Int16Array or null. tune: "psnr", "ms-ssim", "ssimulacra2" or "other".
 * exact: the mask of squares that have exact colours, Uint8Array or null, see `squares`.
 * icc, exif, xmp: Uint8Array or null, byte for byte as in the file.
 * cicp: code points of what the colours mean, where no ICC profile says it, see `Cicp`; null for sRGB.
 */
export class Header {
  basis = null;
  exact = null;
  tune = "psnr";
  icc = null;
  exif = null;
  xmp = null;
  cicp = null;

  /** Of the fixed part of a file, a DataView of 32 bytes or more, and the side that its tiles have; throws nothing. */
  constructor(view, tile) {
    const kind = view.getUint8(14);
    const samples = view.getUint8(15);
    this.version = [view.getUint8(8), view.getUint8(9)];
    this.quantizer = kind >> 4;
    this.family = kind & 15;
    this.depth = 8 * (samples >> 4);
    this.channels = samples & 15;
    this.width = view.getUint16(16, true);
    this.height = view.getUint16(18, true);
    this.scale = view.getInt16(20, true);
    this.quality = view.getUint16(22, true) / QUALITY_UNIT;
    this.model = hexadecimal(new Uint8Array(view.buffer, view.byteOffset + 24, 8));
    this.tile = tile;
  }

  /** Channels without alpha: 1 grey, 3 RGB. */
  get colours() {
    return this.channels - (this.alpha ? 1 : 0);
  }

  /** Whether there is an alpha channel. */
  get alpha() {
    return this.channels % 2 === 0;
  }

  /** Tiles side by side. */
  get columns() {
    return this.tile === null ? 1 : Math.ceil(this.width / this.tile);
  }

  /** Tiles of the picture. */
  get tiles() {
    return this.columns * (this.tile === null ? 1 : Math.ceil(this.height / this.tile));
  }

  /** Which squares of the picture are exact. */
  get squares() {
    return new Squares(this.width, this.height, this.exact);
  }

  /** Whether decoding takes a model: not where all colours are exact and the file names none. */
  get namesModel() {
    return this.model !== NO_MODEL || this.squares.any({ left: 0, top: 0, width: this.width, height: this.height }, false);
  }

  /** Where a tile lies, {left, top, width, height} in pixels; they are counted row by row. */
  box(number) {
    if (this.tile === null) return { left: 0, top: 0, width: this.width, height: this.height };
    const left = (number % this.columns) * this.tile;
    const top = Math.floor(number / this.columns) * this.tile;
    return { left, top, width: Math.min(this.tile, this.width - left), height: Math.min(this.tile, this.height - top) };
  }

  /** Throws LimitError, VersionError or FormatError where a field is outside its legal range, which ends at `maxPixels`. */
  check(maxPixels) {
    const size = `${this.width}x${this.height} pixels`;
    if (this.width < 1 || this.height < 1) {
      throw new LimitError(`${size}: each side must be 1 to ${grouped(SIZE_MAX)}`);
    }
    if (this.width * this.height > maxPixels) {
      throw new LimitError(`${size} is over the limit of ${grouped(maxPixels)}`);
    }
    if (this.channels < 1 || this.channels > 4 || (this.depth !== 8 && this.depth !== 16)) {
      throw new VersionError(`${this.channels} channels of ${this.depth} bits need a newer latticecodec`);
    }
    if (!QUANTIZERS.includes(`${this.quantizer},${this.family}`)) {
      throw new VersionError(`quantizer ${this.quantizer}, family ${this.family} needs a newer latticecodec`);
    }
    if (this.quality > QUALITY_MAX) {
      throw new FormatError(`quality ${Number(this.quality.toPrecision(6))} is not between 0 and ${QUALITY_MAX}`);
    }
    if (this.tile !== null && (this.tile === 0 || this.tile % TILE_UNIT)) {
      throw new FormatError(`tiles of ${this.tile} pixels a side; it must be a multiple of ${TILE_UNIT}`);
    }
    if (this.tiles > TILES_MAX) throw new LimitError(`${grouped(this.tiles)} tiles: beyond the limit of ${grouped(TILES_MAX)}`);
  }
}

function hexadecimal(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
