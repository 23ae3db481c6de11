/** Mirror of `Reader`: a header and tiles to the bytes of a file (FORMAT.md, section 2). */

import { crc32 } from "./crc32.js";
import { roundHalfEven } from "./numbers.js";

const MAGIC = [0x89, 0x4c, 0x43, 0x51, 0x0d, 0x0a, 0x1a, 0x0a];
const MAJOR = 1;
const FIXED = 32; // bytes of the fixed part
const ROW = 12; // bytes of a row of the tile table
const TILES = [2, 2, 0, 0, 0]; // type and length of the record that the side of a tile has
const PIXELS_PER_BYTE = 2 ** 12; // a byte of a payload stands for at most this many
const QUALITY_UNIT = 256;

/**
 * The file, Uint8Array, of a `Header` without alpha, basis, tune and metadata; its version is what it needs.
 *
 * tiles: {payload: Uint8Array, indexCrc} of each. Payloads too short for the expansion limit are filled up with zeros.
 */
export function writeFile(header, tiles) {
  const payloads = tiles.map(({ payload }, number) => filledUp(payload, header.box(number)));
  const extensions = header.tile === null ? [] : [...TILES, header.tile & 255, header.tile >> 8];
  const end = FIXED + extensions.length + ROW * tiles.length;
  const bytes = new Uint8Array(payloads.reduce((sum, { length }) => sum + length, end + 4));
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  bytes.set([MAJOR, header.tile === null && header.depth === 8 ? 0 : 1], 8);
  view.setUint32(10, end, true);
  bytes.set([(header.quantizer << 4) | header.family, ((header.depth / 8) << 4) | header.channels], 14);
  view.setUint16(16, header.width, true);
  view.setUint16(18, header.height, true);
  view.setInt16(20, header.scale, true);
  view.setUint16(22, roundHalfEven(header.quality * QUALITY_UNIT), true);
  bytes.set(header.model.match(/../g).map((digits) => parseInt(digits, 16)), 24);
  bytes.set(extensions, FIXED);
  let start = end + 4;
  for (const [number, payload] of payloads.entries()) {
    const row = [payload.length, crc32(payload), tiles[number].indexCrc];
    row.forEach((value, i) => view.setUint32(end - ROW * (tiles.length - number) + 4 * i, value, true));
    bytes.set(payload, start);
    start += payload.length;
  }
  view.setUint32(end, crc32(bytes.subarray(0, end)), true);
  return bytes;
}

function filledUp(payload, { width, height }) {
  const least = Math.floor((width * height) / PIXELS_PER_BYTE);
  if (payload.length >= least) return payload;
  const filled = new Uint8Array(least);
  filled.set(payload);
  return filled;
}
