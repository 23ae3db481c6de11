/** What the page shows of EXIF: a few of its tags, and how the picture is to be turned. */

const TAGS = { 0x010f: "make", 0x0110: "model", 0x0112: "orientation", 0x0132: "date", 0x8825: "place" };
const LITTLE_ENDIAN = { "II*\0": true, "MM\0*": false }; // by how a block begins
const HEADER = 8; // bytes
const ENTRY = 12; // bytes
const ASCII = 2; // type of a tag's value
const NUMBERS = { 1: "getUint8", 3: "getUint16", 4: "getUint32" }; // types of natural numbers, and what reads them

/**
 * {make, model, date: text, orientation: 1 to 8, place: whether GPS is there} of EXIF's bytes, as far as they are there.
 *
 * Of a tag that is there twice the first one counts; nothing is found in a block whose first directory is not whole.
 */
export function readExif(bytes) {
  const found = {};
  for (const [name, value] of tags(bytes ?? new Uint8Array())) found[name] ??= value;
  const { orientation } = found;
  return { place: false, ...found, orientation: orientation >= 1 && orientation <= 8 ? orientation : 1 };
}

/** Name and value of the tags of the first directory that are known, and of a type that they can have. */
function* tags(bytes) {
  const little = LITTLE_ENDIAN[String.fromCharCode(...bytes.subarray(0, 4))];
  if (little === undefined || bytes.length < HEADER) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const first = view.getUint32(4, little);
  if (first < HEADER || first + 2 > bytes.length) return;
  const end = first + 2 + ENTRY * view.getUint16(first, little);
  if (end > bytes.length) return;
  for (let at = first + 2; at < end; at += ENTRY) {
    const name = TAGS[view.getUint16(at, little)];
    const type = view.getUint16(at + 2, little);
    const count = view.getUint32(at + 4, little);
    if (name === "place") {
      yield [name, true];
    } else if (name === "orientation") {
      if (type in NUMBERS && count === 1) yield [name, view[NUMBERS[type]](at + 8, little)];
    } else if (name && type === ASCII) {
      const start = count > 4 ? view.getUint32(at + 8, little) : at + 8;
      const text = new TextDecoder().decode(bytes.subarray(start, start + count));
      yield [name, text.split("\0")[0].trim()];
    }
  }
}

/** The matrix [a, b, c, d, e, f] that turns a picture of width x height upright, as a canvas takes it. */
export function upright(orientation, width, height) {
  return [
    [1, 0, 0, 1, 0, 0],
    [-1, 0, 0, 1, width, 0],
    [-1, 0, 0, -1, width, height],
    [1, 0, 0, -1, 0, height],
    [0, 1, 1, 0, 0, 0],
    [0, 1, -1, 0, height, 0],
    [0, -1, -1, 0, height, width],
    [0, -1, 1, 0, 0, width],
  ][orientation - 1];
}
