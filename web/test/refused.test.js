/** What the page in Chromium cannot open or compress is one line. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { toPng } from "../page/png.js";
import { resealed } from "./bytes.js";
import { SAMPLE, SCREENS, choose, page, told } from "./page.js";

const DAMAGED = Buffer.from(SAMPLE);
DAMAGED[100] ^= 1;
const FUTURE = Buffer.from(SAMPLE);
FUTURE[8] = 2;
const UNKNOWN = Buffer.from(SAMPLE);
UNKNOWN.fill(0xab, 24, 32);
resealed(UNKNOWN);
const LARGE = Buffer.from(SAMPLE);
LARGE.writeUInt16LE(16_384, 16);
LARGE.writeUInt16LE(8_193, 18);
LARGE.writeUInt32LE(40_000, LARGE.readUInt32LE(10) - 12); // bytes of its payload
resealed(LARGE);
const HUGE = Buffer.from(SAMPLE);
HUGE.writeUInt16LE(40_000, 16);
HUGE.writeUInt16LE(25_000, 18);
resealed(HUGE);

const WRONG = {
  "a damaged file": ["damaged.lcq", "", DAMAGED, "tile 0: its checksum does not match, the file is damaged"],
  "an empty file": ["empty.lcq", "", Buffer.alloc(0), "not an .lcq file; the file is empty"],
  "a JPEG": [
    "photo.jpg",
    "image/jpeg",
    Buffer.from("ffd8ffe000104a4649460001", "hex"),
    "not an .lcq file: it does not begin with the .lcq signature; Compress takes photographs",
  ],
  "a truncated file": [
    "cut.lcq",
    "",
    SAMPLE.subarray(0, 500),
    "the file ends at byte 500, its header says 1,092: truncated or altered",
  ],
  "a future version": [
    "new.lcq",
    "",
    FUTURE,
    "this file has format version 2.0, this reader knows 1.x: update latticecodec",
  ],
  "an unknown model": [
    "other.lcq",
    "",
    UNKNOWN,
    "the file was written with model abababababababab, which is not installed: a page with that model, or a newer latticecodec, opens it",
  ],
  "a picture too large for the page": [
    "large.lcq",
    "",
    LARGE,
    "16384x8193 pixels is over this page's limit of 134,217,728; lcodec decompress opens it",
  ],
  "a picture of more pixels than the format has": [
    "huge.lcq",
    "",
    HUGE,
    "40000x25000 pixels is over the limit of 268,435,456",
  ],
};

for (const [what, [name, mimeType, buffer, line]] of Object.entries(WRONG)) {
  test(`${what} is one line`, async () => {
    await choose("open", { name, mimeType, buffer });
    await page.waitForSelector("#open .wrong");
    assert.equal(await told("open"), `${name}: ${line}`);
    assert.equal(await page.isVisible("#open [data-waiting]"), false);
    assert.equal(await page.isEnabled("#open [data-download]"), false);
    assert.equal(await page.locator("#open canvas").count(), 0);
    await page.screenshot({ path: `${SCREENS}${name.replace(/\..*/, "")}.png` });
  });
}

test("of several files each can be seen, and a wrong one says so", async () => {
  const files = [["one.lcq", SAMPLE], ["two.lcq", DAMAGED]];
  await choose("open", ...files.map(([name, buffer]) => ({ name, mimeType: "", buffer })));
  await page.waitForSelector("#open [data-download]:not([disabled])");
  assert.deepEqual(await page.locator("#open [data-list] button").allTextContents(), ["one.lcq", "two.lcq"]);
  await page.click("#open [data-list] >> text=two.lcq");
  await page.waitForSelector("#open .wrong");
  assert.match(await told("open"), /^two\.lcq: /);
  assert.equal(await page.getAttribute("#open [aria-current=true]", "aria-current"), "true");
});

test("what is no photograph is one line", async () => {
  const transparent = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(8, 8);
    canvas.getContext("2d").fillRect(0, 0, 4, 8);
    const blob = await canvas.convertToBlob();
    return [...new Uint8Array(await blob.arrayBuffer())];
  });
  const white = (width, height) => toPng({ width, height, channels: 1, depth: 8, samples: new Uint8Array(width * height).fill(255) }, {});
  const bytes = async (blob) => Buffer.from(await (await blob).arrayBuffer());
  const frame = "2c00000000010001000002024401" + "00"; // of 1 x 1 pixels
  const files = {
    "moving.gif": [
      Buffer.from(`47494638396101000100800000000000ffffff${frame}${frame}3b`, "hex"),
      "an animation of 2 frames; save one frame as a still picture first",
    ],
    "long.png": [await bytes(white(66_000, 1)), "66000x1 pixels; each side must be 1 to 65,535 and the area at most 2^28"],
    "notes.txt": [Buffer.from("words"), "not a picture that this browser reads; save it as JPEG or PNG first"],
    "whole.lcq": [SAMPLE, "is an .lcq file already; Open shows it"],
    "clear.png": [Buffer.from(transparent), "has transparent pixels, which lcodec compress keeps, but this page does not"],
  };
  for (const [name, [buffer, line]] of Object.entries(files)) {
    await choose("compress", { name, mimeType: "", buffer });
    await page.waitForFunction((name) => document.querySelector("#compress .wrong")?.textContent.startsWith(name), name);
    assert.equal(await told("compress"), `${name}: ${line}`);
    assert.equal(await page.isVisible("#compress [data-start]"), true);
  }
});
