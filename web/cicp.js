/** What colours mean, as code points of ITU-T H.273 (CICP): the four bytes of the cICP chunk of PNG files. */

const UNSPECIFIED = 2; // of primaries and of transfer functions
const RGB = 0; // matrix coefficients of samples that are red, green and blue: all that there are here
const PRIMARIES = {
  1: "BT.709", 4: "BT.470 M", 5: "BT.470 BG", 6: "SMPTE 170M", 7: "SMPTE 240M", 8: "film", 9: "BT.2020", 10: "XYZ",
  11: "DCI P3", 12: "Display P3", 22: "EBU 3213",
};
const TRANSFERS = {
  1: "BT.709", 4: "gamma 2.2", 5: "gamma 2.8", 6: "BT.601", 7: "SMPTE 240M", 8: "linear", 9: "logarithmic",
  10: "logarithmic", 11: "xvYCC", 12: "BT.1361", 13: "sRGB", 14: "BT.2020", 15: "BT.2020", 16: "PQ", 17: "SMPTE 428",
  18: "HLG",
};

/** Code points of a picture of RGB, or of grey: the four bytes of its record or chunk. */
export class Cicp {
  constructor(bytes) {
    this.bytes = Uint8Array.from(bytes);
    [this.primaries, this.transfer, this.matrix, this.fullRange] = this.bytes;
  }

  /** As people call it: `sRGB`, `BT.2020 primaries, PQ transfer`. */
  get name() {
    if (this.bytes.every((byte, i) => byte === SRGB.bytes[i])) return "sRGB";
    const primaries = PRIMARIES[this.primaries] ?? `unknown (${this.primaries})`;
    const transfer = TRANSFERS[this.transfer] ?? `unknown (${this.transfer})`;
    return `${primaries} primaries, ${transfer} transfer${this.fullRange ? "" : ", narrow range"}`;
  }
}

export const SRGB = new Cicp([1, 13, RGB, 1]); // what colours mean where nothing is said

/** The code points of a record; null where its bytes are no such, or leave all unspecified. */
export function codePoints(body) {
  if (body.length !== SRGB.bytes.length) return null;
  const found = new Cicp(body);
  const told = found.primaries !== UNSPECIFIED || found.transfer !== UNSPECIFIED;
  return told && found.matrix === RGB && found.fullRange <= 1 ? found : null;
}
