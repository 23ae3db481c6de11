/** Files with other headers than lcodec writes, and the chunks of PNGs. */

import { crc32 } from "../crc32.js";

/** Names of the chunks of a PNG. */
export function chunks(png) {
  const found = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) found.push(png.toString("latin1", at + 4, at + 8));
  return found;
}

/** A file with the minor version, and records [type, body] added to those of its header. */
export function withRecords(bytes, records) {
  const end = bytes.readUInt32LE(10);
  const added = Buffer.concat(records.flatMap(([type, body]) => {
    const head = Buffer.alloc(5);
    head.writeUInt8(type);
    head.writeUInt32LE(body.length, 1);
    return [head, Buffer.from(body)];
  }));
  const head = Buffer.concat([bytes.subarray(0, end - 12), added, bytes.subarray(end - 12, end)]);
  head[9] = 1;
  return resealed(Buffer.concat([head, Buffer.alloc(4), bytes.subarray(end + 4)]), head.length);
}

/** A file with its header length, and its header CRC put right. */
export function resealed(bytes, end = bytes.readUInt32LE(10)) {
  bytes.writeUInt32LE(end, 10);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, end)), end);
  return bytes;
}
