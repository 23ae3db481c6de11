/** Bytes of files that are chosen or dropped. */

import { LcqError } from "../errors.js";

/** The bytes of a File from one place to another, as far as they are there; throws LcqError where it cannot be read. */
export async function bytesOf(file, start = 0, end = file.size) {
  try {
    return new Uint8Array(await file.slice(start, end).arrayBuffer());
  } catch (error) {
    throw new LcqError(`cannot be read (${error.message}); of a folder, choose the files in it`);
  }
}
