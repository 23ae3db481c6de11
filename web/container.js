/** A whole file: fixed part, extensions, tile table, header CRC, payloads (FORMAT.md, sections 2 to 4). */

import { crc32 } from "./crc32.js";
import { ChecksumError, FormatError, LimitError, VersionError } from "./errors.js";
import { readExtensions, tileSide } from "./extensions.js";
import { Header, PIXELS_MAX } from "./header.js";
import { grouped } from "./numbers.js";

const MAGIC = [0x89, 0x4c, 0x43, 0x51, 0x0d, 0x0a, 0x1a, 0x0a];
const MAJOR = 1;
const FIXED = 32; // bytes of the fixed part
const ROW = 12; // bytes of a row of the tile table
const HEADER_MAX = 2 ** 26; // bytes before the CRC
const CRC = 4; // bytes of the header's checksum
const PIXELS_PER_BYTE = 2 ** 12; // a byte of a payload stands for at most this many
const EXACT_PIXELS_PER_BYTE = 2 ** 14; // the same of a tile whose squares are all exact

export const BEGINNING = FIXED; // bytes that say how long the header is

/** Bytes of a file that its `header` takes, as its first ones (Uint8Array) say; no more than a header may have. */
export function headBytes(beginning) {
  if (beginning.length < FIXED) return beginning.length;
  const end = new DataView(beginning.buffer, beginning.byteOffset).getUint32(10, true);
  return Math.max(FIXED, Math.min(end, HEADER_MAX) + CRC);
}

/**
 * A file (Uint8Array) of which single tiles are wanted; the payloads need not be there for its `header`. maxPixels: of
 * the picture; one of more is refused.
 *
 * Throws FormatError, ChecksumError, VersionError or LimitError where the header is not right.
 */
export class Reader {
  #bytes;
  #view;
  #rows; // {length, payloadCrc, indexCrc, start} of each tile

  constructor(bytes, maxPixels = PIXELS_MAX) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const end = this.#headerEnd();
    this.header = new Header(this.#view, tileSide(bytes.subarray(FIXED, end - ROW)));
    this.header.check(maxPixels);
    const tableAt = end - ROW * this.header.tiles;
    if (tableAt < FIXED) {
      const told = `header length ${end} has no room for a table of ${grouped(this.header.tiles)} tiles`;
      throw new FormatError(`${told}: damaged`);
    }
    Object.assign(this.header, readExtensions(bytes.subarray(FIXED, tableAt), this.header.version));
    this.header.squares.check();
    this.#rows = this.#table(tableAt, end + 4);
  }

  /** Throws FormatError where the file is shorter or longer than its header says. */
  checkLength() {
    const last = this.#rows.at(-1);
    const [expected, there] = [last.start + last.length, this.#bytes.length];
    if (there !== expected) {
      const told = `the file ${there < expected ? "ends at" : "goes on to"} byte ${grouped(there)}`;
      throw new FormatError(`${told}, its header says ${grouped(expected)}: truncated or altered`);
    }
  }

  /**
   * What the file has of a tile: {payload, alpha, exact, indexCrc}, its range-coded part, its coded alpha and exact
   * colours, and the CRC of its index tensor. Throws FormatError or ChecksumError.
   */
  tile(number) {
    const { start, length, payloadCrc, indexCrc } = this.#rows[number];
    const { header } = this;
    let payload = this.#bytes.subarray(start, start + length);
    if (payload.length < length) {
      const told = `the file ends at byte ${grouped(this.#bytes.length)}, inside of it`;
      throw new FormatError(`tile ${number}: ${told}: truncated`);
    }
    if (crc32(payload) !== payloadCrc) {
      throw new ChecksumError(`tile ${number}: its checksum does not match, the file is damaged`);
    }
    let [alpha, exact] = [new Uint8Array(), new Uint8Array()];
    if (header.alpha) [alpha, payload] = split(payload, `tile ${number}: its alpha channel`);
    if (header.exact !== null) {
      [exact, payload] = split(payload, `tile ${number}: its block of exact colours`);
      if (exact.length > 0 !== header.squares.any(header.box(number), true)) {
        const told = exact.length ? "it has exact colours and no exact square" : "it has an exact square and no exact colours";
        throw new FormatError(`tile ${number}: ${told}, the file is damaged`);
      }
    }
    return { payload, alpha, exact, indexCrc };
  }

  /** Where the header CRC stands; it is right. */
  #headerEnd() {
    const bytes = this.#bytes;
    if (!bytes.length) throw new FormatError("not an .lcq file; the file is empty");
    if (MAGIC.some((byte, i) => i < bytes.length && bytes[i] !== byte)) {
      throw new FormatError("not an .lcq file: it does not begin with the .lcq signature");
    }
    const truncated = `the file ends at byte ${bytes.length}, inside its header: truncated`;
    if (bytes.length < FIXED) throw new FormatError(truncated);
    const [major, minor] = [bytes[8], bytes[9]];
    if (major !== MAJOR) {
      const told = `this file has format version ${major}.${minor}, this reader knows ${MAJOR}.x`;
      throw new VersionError(`${told}: update latticecodec`);
    }
    const end = this.#view.getUint32(10, true);
    if (end < FIXED + ROW) {
      throw new FormatError(`header length ${end} is below the least possible, ${FIXED + ROW}: damaged`);
    }
    if (end > HEADER_MAX) {
      throw new LimitError(`header of ${grouped(end)} bytes: beyond the limit of ${grouped(HEADER_MAX)}`);
    }
    if (bytes.length < end + 4) throw new FormatError(truncated);
    if (crc32(bytes.subarray(0, end)) !== this.#view.getUint32(end, true)) {
      throw new ChecksumError("the header's checksum does not match: the file is damaged");
    }
    return end;
  }

  /** The rows of the tile table; throws LimitError for a payload too short for its pixels. */
  #table(at, start) {
    const rows = [];
    for (let number = 0; number < this.header.tiles; number++) {
      const [length, payloadCrc, indexCrc] = [0, 4, 8].map((part) => this.#view.getUint32(at + ROW * number + part, true));
      const box = this.header.box(number);
      const { width, height } = box;
      const neural = this.header.squares.any(box, false);
      if (length < Math.floor((width * height) / (neural ? PIXELS_PER_BYTE : EXACT_PIXELS_PER_BYTE))) {
        throw new LimitError(`${width}x${height} pixels from ${length} bytes: beyond the expansion limit, damaged`);
      }
      rows.push({ length, payloadCrc, indexCrc, start });
      start += length;
    }
    return rows;
  }
}

/** The part of a payload that begins with its length, and the rest; FormatError where it runs past the end. */
function split(payload, what) {
  const end = payload.length < 4 ? Infinity : 4 + new DataView(payload.buffer, payload.byteOffset).getUint32(0, true);
  if (end > payload.length) throw new FormatError(`${what} runs past its end, the file is damaged`);
  return [payload.subarray(4, end), payload.subarray(end)];
}
