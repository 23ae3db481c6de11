/** How an .lcq file begins. */

import { bytesOf } from "./reading.js";

const SIGNATURE = [0x89, 0x4c, 0x43, 0x51];

/** Whether a File begins as .lcq files do; throws LcqError where it cannot be read. */
export async function isLcq(file) {
  const start = await bytesOf(file, 0, SIGNATURE.length);
  return SIGNATURE.every((byte, i) => start[i] === byte);
}
