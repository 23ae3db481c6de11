/** Metadata in Chromium: what the page shows of it, what colours mean, what a saved PNG has. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { chunks, withRecords } from "./bytes.js";
import { CASES, SAMPLE, caseOf, facts, opened, page, python, saved } from "./page.js";

const PROFILE = "from PIL import ImageCms; import sys; sys.stdout.buffer.write(ImageCms.ImageCmsProfile(ImageCms.createProfile('sRGB')).tobytes())";

test("metadata is shown, and goes into the PNG; the picture is turned as EXIF says", async () => {
  const exif = Buffer.alloc(60);
  exif.write("II*\0\x08\0\0\0\x02\0", "latin1");
  exif.writeUInt16LE(0x010f, 10); // make, text
  exif.writeUInt16LE(2, 12);
  exif.writeUInt32LE(8, 14);
  exif.writeUInt32LE(40, 18);
  exif.write("Lattice\0", 40, "latin1");
  exif.writeUInt16LE(0x0112, 22); // orientation, a number
  exif.writeUInt16LE(3, 24);
  exif.writeUInt32LE(1, 26);
  exif.writeUInt16LE(6, 30);
  const file = withRecords(SAMPLE, [[130, exif], [131, "<x:xmpmeta/>"]]);
  await opened("turned.lcq", file);
  assert.deepEqual(await facts("#open [data-metadata-facts]"), {
    Camera: "Lattice",
    Turned: "as EXIF says",
    EXIF: "60 bytes",
    XMP: "12 bytes",
  });
  const stage = "#open [data-stage]";
  assert.equal(await page.getAttribute(stage, "aria-label"), "turned.lcq, 176 × 192 pixels");
  const corners = await page.$eval(`${stage} canvas`, (canvas) => {
    const context = canvas.getContext("2d");
    return [[175, 0], [0, 0]].map(([x, y]) => [...context.getImageData(x, y, 1, 1).data]);
  });
  const { bytes } = await saved("#open [data-download]");
  assert.deepEqual(chunks(bytes), ["IHDR", "eXIf", "iTXt", "IDAT", "IEND"]);
  await opened("upright.lcq", SAMPLE);
  const upright = await page.$eval(`${stage} canvas`, (canvas) => {
    const context = canvas.getContext("2d");
    return [[0, 0], [0, 175]].map(([x, y]) => [...context.getImageData(x, y, 1, 1).data]);
  });
  assert.deepEqual(corners, upright); // top left comes to the top right, bottom left to the top left
  assert.equal(await page.isVisible("#open [data-metadata]"), false);
});

test("an ICC profile goes into the PNG, and says what the colours on the page mean", async () => {
  const icc = python(PROFILE);
  const red = icc.indexOf("rXYZ", 132); // of the table of tags: where the red of the profile stands
  const green = icc.indexOf("gXYZ", 132);
  const swapped = Buffer.from(icc);
  swapped.write("gXYZ", red, "latin1");
  swapped.write("rXYZ", green, "latin1");
  const means = [];
  for (const [name, profile] of [["managed.lcq", icc], ["swapped.lcq", swapped]]) {
    await opened(name, withRecords(SAMPLE, [[129, profile]]));
    assert.deepEqual(Object.keys(await facts("#open [data-metadata-facts]")), ["ICC profile"]);
    means.push(await page.$eval("#open canvas", (canvas) => {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return [0, 1].map((colour) => data.reduce((sum, value, i) => sum + (i % 4 === colour ? value : 0), 0) / data.length);
    }));
  }
  const [[r, g], [otherR, otherG]] = means;
  assert.ok(g > r + 1 && otherR > otherG + 1, JSON.stringify(means)); // the picture is green, and red where these change places
  assert.deepEqual(chunks((await saved("#open [data-download]")).bytes), ["IHDR", "iCCP", "IDAT", "IEND"]);
});

test("code points go into the PNG, and say what the colours on the page mean where no ICC profile does", async () => {
  const icc = python(PROFILE);
  const files = {
    "srgb.lcq": [],
    "p3.lcq": [[132, [12, 13, 0, 1]]],
    "pq.lcq": [[132, [9, 16, 0, 1]]],
    "both.lcq": [[129, icc], [132, [12, 13, 0, 1]]],
  };
  const shown = {}; // samples of the canvas
  for (const [name, records] of Object.entries(files)) {
    await opened(name, withRecords(SAMPLE, records));
    shown[name] = await page.$eval("#open canvas", (canvas) => [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data]);
  }
  const colourfulness = (data) => {
    let sum = 0;
    for (let at = 0; at < data.length; at += 4) sum += Math.max(...data.slice(at, at + 3)) - Math.min(...data.slice(at, at + 3));
    return sum / (data.length / 4);
  };
  const [plain, wide] = [shown["srgb.lcq"], shown["p3.lcq"]].map(colourfulness);
  assert.ok(wide > 1.05 * plain, `${wide}, in sRGB ${plain}`); // what is pure in Display P3 is more than that in sRGB
  const apart = (name) => shown[name].reduce((most, value, i) => Math.max(most, Math.abs(value - shown["srgb.lcq"][i])), 0);
  assert.ok(apart("pq.lcq") > 16);
  assert.ok(apart("both.lcq") <= 2); // the profile counts
  const { Colours, CICP } = await facts("#open [data-facts]");
  assert.deepEqual([Colours, CICP], ["as the ICC profile says", "12/13/0/1"]);
  assert.deepEqual(chunks((await saved("#open [data-download]")).bytes), ["IHDR", "iCCP", "cICP", "IDAT", "IEND"]);
});

test("16 bits a sample are in the PNG", async () => {
  const row = caseOf("lattice, grey");
  await opened("grey.lcq", readFileSync(CASES + row.file));
  const { bytes } = await saved("#open [data-download]");
  const program = "import imagecodecs, sys; sys.stdout.buffer.write(imagecodecs.png_decode(sys.stdin.buffer.read()).astype('<u2').tobytes())";
  const own = Uint16Array.from(new Uint16Array(new Uint8Array(python(program, [], bytes)).buffer));
  const expected = new Uint16Array(new Uint8Array(readFileSync(CASES + row.samples)).buffer);
  assert.equal(own.length, expected.length);
  assert.ok(own.every((sample, i) => Math.abs(sample - expected[i]) <= 1));
});

test("damaged EXIF is passed over", async () => {
  await opened("odd.lcq", withRecords(SAMPLE, [[130, Buffer.from("II*\0\xff\xff\xff\x7f", "latin1")]]));
  assert.deepEqual(Object.keys(await facts("#open [data-metadata-facts]")), ["EXIF"]);
});
