/** The extensions of a header: records of type, length and body (FORMAT.md, section 2.2). */

import { codePoints } from "./cicp.js";
import { FormatError, LimitError, VersionError } from "./errors.js";
import { grouped } from "./numbers.js";

const HEAD = 5; // bytes of type and length
const TILES = 2;
const MAY_IGNORE = 128; // from this type on a reader may skip what it does not know
const EXTENSIONS_MAX = 256;
const METADATA_MAX = 2 ** 24; // bytes of each kind of metadata
const BASIS_MAX = 4_096; // entries
const TUNES = ["psnr", "ms-ssim", "ssimulacra2"];

/** A kind of record: its type, its field in Header, what errors call it, and the value that its body stands for. */
const RECORDS = [
  {
    type: TILES,
    field: "tile",
    fits: (length) => length === 2,
    wrong: "the side of a tile is not the first extension, or not of two bytes",
    first: true,
    once: true,
    value: (body) => body[0] | (body[1] << 8),
  },
  {
    type: 1,
    field: "basis",
    name: "embedded basis",
    most: 2 * BASIS_MAX,
    fits: (length) => length > 0 && length % 2 === 0,
    wrong: "the embedded basis is empty, of odd length or there twice",
    once: true,
    value: basis,
  },
  { type: 3, field: "exact", wrong: "the mask of exact squares is there twice", once: true, value: (body) => body.slice() },
  { type: 128, field: "tune", value: (body) => (body.length === 1 && TUNES[body[0]]) || "other" },
  metadata(129, "icc"),
  metadata(130, "exif"),
  metadata(131, "xmp"),
  { type: 132, field: "cicp", value: codePoints },
];

/** The side of a tile as the first record says, null where that is of another type; `start` is where records begin. */
export function tileSide(start) {
  const there = start.length >= HEAD + 2 && [TILES, 2, 0, 0, 0].every((byte, i) => start[i] === byte);
  return there ? start[HEAD] | (start[HEAD + 1] << 8) : null;
}

/** Fields of Header from the records of a file of a version; throws FormatError, LimitError or VersionError. */
export function readExtensions(records, version) {
  const fields = {};
  for (const [number, { type, body }] of walk(records)) {
    const row = RECORDS.find((each) => each.type === type);
    if (row) {
      if (row.most !== undefined && body.length > row.most) {
        throw new LimitError(`${row.name} of ${grouped(body.length)} bytes: beyond the limit of ${grouped(row.most)}`);
      }
      const misplaced = (row.first && number > 0) || (row.once && row.field in fields);
      if ((row.fits && !row.fits(body.length)) || misplaced) throw new FormatError(`${row.wrong}: damaged`);
      fields[row.field] = row.value(body);
    } else if (type < MAY_IGNORE) {
      const told = `extension ${type} of format version ${version.join(".")} is not known to this reader`;
      throw new VersionError(`${told}: update latticecodec`);
    }
  }
  return fields;
}

/** Number, and type and body, of each record. */
function* walk(records) {
  const view = new DataView(records.buffer, records.byteOffset, records.length);
  let position = 0;
  for (let number = 0; position < records.length; number++) {
    if (number === EXTENSIONS_MAX) throw new LimitError(`more than ${EXTENSIONS_MAX} extensions: beyond the limit`);
    if (position + HEAD > records.length) throw new FormatError("an extension's head runs past the header: damaged");
    const type = view.getUint8(position);
    const length = view.getUint32(position + 1, true);
    position += HEAD;
    if (length > records.length - position) {
      throw new FormatError(`extension ${type} of ${grouped(length)} bytes runs past the header: damaged`);
    }
    yield [number, { type, body: records.subarray(position, position + length) }];
    position += length;
  }
}

function basis(body) {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  return Int16Array.from({ length: body.length / 2 }, (_, i) => view.getInt16(2 * i, true));
}

function metadata(type, field) {
  const name = `${field.toUpperCase()} metadata`;
  return { type, field, name, most: METADATA_MAX, wrong: `${name} is there twice`, once: true, value: (body) => body.slice() };
}
