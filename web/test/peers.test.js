/** The formats that a result is held against: files of them, and how near they are to the photograph. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { psnr } from "../page/psnr.js";
import { fresh } from "./view.js";

const own = fresh();

test("100 dB are told where not one sample differs, and of nothing else", () => {
  const samples = Uint8Array.of(1, 2, 3);
  assert.equal(psnr(samples, samples), 100);
  assert.equal(psnr(samples, Uint8Array.of(1, 2, 4)).toFixed(2), "52.90");
  assert.equal(psnr(samples, samples.subarray(1)), NaN);
});

test("a format that cannot have as many pixels a side is not compared", async () => {
  const found = await own.page.evaluate(async () => {
    const { atSize } = await import("/page/peers.js");
    const { signal } = new AbortController();
    const sides = async (type, width, height) => {
      const picture = { width, height, samples: new Uint8Array(3 * width * height).fill(99) };
      const found = await atSize(picture, type, 0, signal);
      return found && [found.picture.width, found.picture.height];
    };
    const sizes = [["image/webp", 16_383, 1], ["image/webp", 16_384, 1], ["image/webp", 1, 16_390], ["image/jpeg", 16_390, 1]];
    return Promise.all(sizes.map((size) => sides(...size)));
  });
  assert.deepEqual(found, [[16_383, 1], null, null, [16_390, 1]]);
});
