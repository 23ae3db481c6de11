/** Pictures as PNG files, with all their bits and their metadata, which a canvas does not keep. */

import { crc32 } from "../crc32.js";

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const COLOUR_TYPES = [0, 4, 2, 6]; // by channels, 1 to 4
const PAETH = 4; // the filter of every row
const ROWS = 64; // filtered at a time

/** A picture as `decode` gives it, and of its metadata {icc, exif, xmp, cicp} what a header has of it, or none: Blob. */
export async function toPng(picture, { icc = null, exif = null, xmp = null, cicp = null }) {
  const { width, height, channels, depth } = picture;
  const head = new Uint8Array(13);
  const view = new DataView(head.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  head.set([depth, COLOUR_TYPES[channels - 1], 0, 0, 0], 8);
  const parts = [Uint8Array.from(SIGNATURE), chunk("IHDR", head)];
  if (icc?.length) parts.push(chunk("iCCP", joined([ascii("ICC profile\0\0"), await deflated([icc])])));
  if (cicp) parts.push(chunk("cICP", cicp.bytes));
  if (exif?.length) parts.push(chunk("eXIf", exif));
  if (xmp?.length) parts.push(chunk("iTXt", joined([ascii("XML:com.adobe.xmp\0\0\0\0\0"), xmp])));
  parts.push(chunk("IDAT", await deflated(filtered(picture))), chunk("IEND", new Uint8Array()));
  return new Blob(parts, { type: "image/png" });
}

/** Blocks of filtered rows. */
function* filtered({ height, width, channels, depth, samples }) {
  const pixel = (channels * depth) / 8; // bytes
  const length = width * pixel; // of a row
  let above = new Uint8Array(pixel + length); // a row with zeros before it
  for (let top = 0; top < height; top += ROWS) {
    const count = Math.min(ROWS, height - top);
    const out = new Uint8Array(count * (1 + length));
    for (let y = 0, at = 0; y < count; y++) {
      const row = new Uint8Array(pixel + length);
      row.set(bigEndian(samples.subarray((top + y) * width * channels, (top + y + 1) * width * channels)), pixel);
      out[at++] = PAETH;
      for (let x = pixel; x < row.length; x++) out[at++] = row[x] - predicted(row[x - pixel], above[x], above[x - pixel]);
      above = row;
    }
    yield out;
  }
}

/** Of a sample's neighbours that which is nearest to left + up - corner. */
function predicted(left, up, corner) {
  const [byLeft, byUp] = [Math.abs(up - corner), Math.abs(left - corner)];
  const byCorner = Math.abs(left + up - 2 * corner);
  if (byLeft <= byUp && byLeft <= byCorner) return left;
  return byUp <= byCorner ? up : corner;
}

function bigEndian(samples) {
  if (samples.BYTES_PER_ELEMENT === 1) return samples;
  const bytes = new Uint8Array(2 * samples.length);
  const view = new DataView(bytes.buffer);
  samples.forEach((sample, i) => view.setUint16(2 * i, sample));
  return bytes;
}

/** Blocks of bytes as one zlib stream. */
async function deflated(blocks) {
  const iterator = blocks[Symbol.iterator]();
  const source = new ReadableStream({
    pull(controller) {
      const { value, done } = iterator.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
  return new Uint8Array(await new Response(source.pipeThrough(new CompressionStream("deflate"))).arrayBuffer());
}

function chunk(type, body) {
  const bytes = joined([new Uint8Array(4), ascii(type), body, new Uint8Array(4)]);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, body.length);
  view.setUint32(bytes.length - 4, crc32(bytes.subarray(4, -4)));
  return bytes;
}

function ascii(text) {
  return new TextEncoder().encode(text);
}

function joined(parts) {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  parts.reduce((at, each) => (bytes.set(each, at), at + each.length), 0);
  return bytes;
}
