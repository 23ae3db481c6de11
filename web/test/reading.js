/** What a page makes of the files that tests/web/prepare.py wrote; runs in the browser. */

import { LcqError, decode, decodeIndices } from "../dist/lcq.js";

/**
 * A file and what comes of it: {error, message}, or {indices, worst}, the SHA-256 of its index tensor and the largest
 * difference of a sample from those in `row.samples`. Anything but an LcqError passes through.
 */
export async function read(row, folder, models) {
  const bytes = await fetched(folder + row.file);
  try {
    const { samples, depth } = await decode(bytes, { models });
    const { data } = await decodeIndices(bytes, { models });
    const expected = row.samples ? await fetched(folder + row.samples) : null;
    return { indices: await sha256(data), worst: expected && difference(samples, expected, depth) };
  } catch (error) {
    if (!(error instanceof LcqError)) throw error;
    return { error: error.name, message: error.message };
  }
}

async function fetched(address) {
  return new Uint8Array(await (await fetch(address)).arrayBuffer());
}

async function sha256(values) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", values));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function difference(samples, bytes, depth) {
  const expected = depth === 8 ? bytes : new Uint16Array(bytes.buffer);
  if (expected.length !== samples.length) return Infinity;
  return samples.reduce((worst, sample, i) => Math.max(worst, Math.abs(sample - expected[i])), 0);
}
