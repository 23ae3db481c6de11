/** What the page shows of EXIF: a few of its tags, and how the picture is to be turned. */

const TAGS = { 0x010f: "make", 0x0110: "model", 0x0112: "orientation", 0x0132: "date", 0x8825: "place" };
const [ASCII, SHORT] = [2, 3]; // types of a tag's value

/** {make, model, date: text, orientation: 1 to 8, place: whether GPS is there} of EXIF's bytes, as far as they are there. */
export function readExif(bytes) {
  const found = { orientation: 1, place: false };
  if (!bytes) return found;
  try {
    for (const [name, value] of tags(bytes)) found[name] = value;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // a damaged one says what it said before
  }
  return found;
}

function* tags(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const little = view.getUint16(0) === 0x4949; // II
  const first = view.getUint32(4, little);
  const count = view.getUint16(first, little);
  for (let at = first + 2; at < first + 2 + 12 * count; at += 12) {
    const name = TAGS[view.getUint16(at, little)];
    const type = view.getUint16(at + 2, little);
    const length = view.getUint32(at + 4, little);
    if (name === "place") yield [name, true];
    if (name === "orientation" && type === SHORT) {
      const value = view.getUint16(at + 8, little);
      if (value >= 1 && value <= 8) yield [name, value];
    } else if (name && type === ASCII) {
      const start = length > 4 ? view.getUint32(at + 8, little) : at + 8;
      const text = new TextDecoder().decode(bytes.subarray(start, start + length));
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
