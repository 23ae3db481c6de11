/** How an .lcq file begins. */

const SIGNATURE = [0x89, 0x4c, 0x43, 0x51];

/** Whether a File begins as .lcq files do. */
export async function isLcq(file) {
  const start = new Uint8Array(await file.slice(0, SIGNATURE.length).arrayBuffer());
  return SIGNATURE.every((byte, i) => start[i] === byte);
}
