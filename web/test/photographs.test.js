/** Photographs that are compressed in Chromium, and what Python makes of the files. */

import assert from "node:assert/strict";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { test } from "node:test";

import { LANDSCAPE, PATIENCE, ROOT, SAMPLE, SCREENS, opened, page, python, saved, told } from "./page.js";
import { stopAt } from "./stopping.js";

test("the view that compresses says what its model and the runtime take", async () => {
  const list = (name) => JSON.parse(readFileSync(`${ROOT}web/dist/models/${name}.json`));
  const { digest } = list("models").find(({ name }) => name === "lattice-2"); // the newest lattice
  const files = Object.values(list(digest).files).map(({ file }) => `models/${file}`);
  files.push(...readdirSync(`${ROOT}web/dist/runtime`).map((file) => `runtime/${file}`));
  const megabytes = Math.round(files.reduce((sum, file) => sum + statSync(`${ROOT}web/dist/${file}`).size, 0) / 1e6);
  assert.match(await page.textContent("#compress .hint"), new RegExp(`fetches ${megabytes} MB`));
  assert.match(readFileSync(`${ROOT}web/README.md`, "utf8"), new RegExp(`photograph that is compressed ${megabytes};`));
});

test("a photograph is compressed, and Python decodes it to the same indices", { timeout: 2 * PATIENCE }, async () => {
  await page.click("#compress-tab");
  await page.locator("#compress [data-files]").first().setInputFiles(LANDSCAPE);
  await compared("landscape.png");
  const rows = await table();
  assert.deepEqual(Object.keys(rows), [".lcq", "JPEG", "WebP"]);
  for (const format of ["JPEG", "WebP"]) {
    assert.ok(rows[format].bytes <= rows[".lcq"].bytes && rows[format].bytes > 0.8 * rows[".lcq"].bytes);
    assert.ok(rows[format].psnr < rows[".lcq"].psnr && rows[format].psnr > 30);
  }
  const { name, bytes } = await saved("#compress [data-download]");
  assert.equal(name, "landscape.lcq");
  assert.equal(bytes.length, rows[".lcq"].bytes);
  const there = inPython(bytes);
  assert.equal(there.indices, await indicesHere(bytes));
  assert.deepEqual([there.size, there.tiles, there.minor], [[768, 512], 1, 0]);
  assert.ok(Math.abs(there.quality - 50) < 0.05);
  const effort0 = python("import sys, latticecodec; sys.stdout.buffer.write(latticecodec.encode(sys.argv[1], model='lattice', effort=0))", [LANDSCAPE]);
  assert.ok(Math.abs(bytes.length / effort0.length - 1) < 0.002, `${bytes.length} bytes, of Python's ${effort0.length}`);
  await page.screenshot({ path: `${SCREENS}compress.png` });
  const { x, y, width, height } = await page.locator("#compress [data-stage]").boundingBox();
  await page.mouse.move(x + width / 2, y + height / 3);
  await page.mouse.down();
  await page.mouse.move(x + width / 4, y + height / 3);
  await page.mouse.up();
  assert.equal(Math.round(await page.inputValue("#compress [data-split]")), 25);
  await page.check("#compress [data-rows] tr:nth-child(2) input");
  assert.equal(await page.textContent("#compress [data-right]"), "JPEG");
  await page.locator("#compress [data-quality]").fill("20");
  await compared("landscape.png");
  assert.ok((await table())[".lcq"].bytes < rows[".lcq"].bytes);
});

test("work is stopped, and says so", async () => {
  await page.click("#compress-tab");
  await stopAt(page, "compress", 0);
  await page.locator("#compress [data-quality]").fill("80");
  await page.waitForSelector("#compress [data-told]:not(:empty)");
  assert.equal(await told("compress"), "landscape.png: stopped");
  assert.equal(await page.isEnabled("#compress [data-download]"), false);
  await page.locator("#compress [data-quality]").fill("0");
  await page.waitForSelector("#compress [data-download]:not([disabled])");
  assert.equal(await told("compress"), "");
});

test("pictures of odd sizes, at all qualities and in tiles, decode in Python to the indices that it finds itself", async () => {
  const program = [
    "import sys, numpy, latticecodec",
    "from latticecodec.codec import EncodeOptions",
    "width, height, quality, tile, length = (int(each) for each in sys.argv[1:])",
    "data = sys.stdin.buffer.read()",
    "samples = numpy.frombuffer(data[length:], numpy.uint8).reshape(height, width, 3)",
    "codec = latticecodec.load('lattice')",
    "options = EncodeOptions(quality=quality, effort=0, tile=tile, exact=False)", // the page has no exact squares
    "own = codec.encode_detailed(samples, options).data",
    "found, expected = codec.decode_indices(data[:length]), codec.decode_indices(own)",
    "print(found.shape == expected.shape and (found == expected).mean())",
  ].join("\n");
  const sizes = [[1, 1, 50, 0], [61, 47, 0, 0], [47, 130, 100, 0], [150, 131, 70, 64], [1100, 20, 50, 0]]; // of two areas
  for (const [width, height, quality, tile] of sizes) {
    const samples = Uint8Array.from({ length: 3 * width * height }, (_, i) => 128 + 100 * Math.sin(i / 31) + ((i * 7919) % 27));
    const bytes = Buffer.from(await page.evaluate(async ([width, height, samples, quality, tile]) => {
      const { PictureEncoder } = await import("/encode.js");
      const encoder = await PictureEncoder.of({ width, height, samples: Uint8Array.from(samples) });
      return [...(await encoder.encode(quality, { tile: tile || null }))];
    }, [width, height, [...samples], quality, tile]));
    const there = inPython(bytes);
    assert.equal(there.indices, await indicesHere(bytes));
    assert.deepEqual(there.size, [width, height]);
    assert.ok(Math.abs(there.quality - quality) < 0.05);
    assert.deepEqual([there.tiles, there.minor], tile ? [9, 1] : [1, 0]);
    const options = [width, height, quality, tile, bytes.length].map(String);
    const same = python(program, options, Buffer.concat([bytes, samples]));
    assert.ok(Number(same) > 0.999, `${width}x${height}: ${same} of the indices are the same`); // not of all: networks are floats
  }
});

test("a photograph that is compressed is stopped between two parts of it, from outside", async () => {
  const names = await page.evaluate(async () => {
    const { PictureEncoder } = await import("/encode.js");
    const picture = { width: 1100, height: 20, samples: new Uint8Array(3 * 1100 * 20) }; // two areas, 18 tiles of 64
    const encoder = await PictureEncoder.of(picture);
    const works = [(options) => PictureEncoder.of(picture, options), (options) => encoder.encode(0, { tile: 64, ...options })];
    const names = [];
    for (const work of works) {
      const controller = new AbortController();
      const onProgress = () => setTimeout(() => controller.abort()); // as a message to a worker comes
      names.push((await work({ onProgress, signal: controller.signal }).catch((error) => error)).name);
    }
    return names;
  });
  assert.deepEqual(names, ["AbortError", "AbortError"]);
});

test("dark, and on a narrow screen", async () => {
  await opened("lattice.lcq", SAMPLE);
  const overflows = () => page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
  for (const view of ["open", "compress"]) {
    await page.click(`#${view}-tab`);
    await page.emulateMedia({ colorScheme: "dark" });
    await page.screenshot({ path: `${SCREENS}${view}-dark.png` });
    await page.setViewportSize({ width: 360, height: 720 });
    await page.screenshot({ path: `${SCREENS}${view}-narrow-dark.png`, fullPage: true });
    assert.equal(await overflows(), false);
    await page.emulateMedia({ colorScheme: "light" });
    await page.screenshot({ path: `${SCREENS}${view}-narrow-light.png`, fullPage: true });
    await page.setViewportSize({ width: 1280, height: 800 });
    assert.equal(await overflows(), false);
  }
});

/** SHA-256 of the index tensor of a file, as Python decodes it, and its header's facts. */
function inPython(bytes) {
  const program = [
    "import json, sys, latticecodec",
    "from latticecodec.codec import indices_sha256",
    "data = sys.stdin.buffer.read()",
    "header = latticecodec.read_header(data)",
    "indices = latticecodec.load('lattice').decode_indices(data)",
    "picture = latticecodec.decode(data)",
    "facts = {'indices': indices_sha256(indices), 'size': list(picture.size), 'tiles': header.tiles}",
    "print(json.dumps(facts | {'quality': header.quality, 'minor': header.version[1]}))",
  ].join("\n");
  return JSON.parse(python(program, [], bytes));
}

/** All of the table of a photograph is there. */
async function compared(name) {
  await page.waitForFunction((name) => {
    const part = (each) => document.querySelector(`#compress [data-${each}]`);
    return part("told").textContent || (part("name").textContent === name && !part("download").disabled && part("waiting").hidden);
  }, name);
  assert.equal(await told("compress"), "");
}

/** {bytes, bpp, psnr} of the table's rows, by format. */
async function table() {
  const rows = await page.$$eval("#compress [data-rows] tr", (rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent)));
  const number = (text) => Number(text.replaceAll(",", ""));
  return Object.fromEntries(rows.map(([format, bytes, bpp, psnr]) => [format, { bytes: number(bytes), bpp: number(bpp), psnr: number(psnr) }]));
}

/** SHA-256 of the index tensor of a file, as the page decodes it. */
async function indicesHere(bytes) {
  return page.evaluate(async (file) => {
    const { decodeIndices } = await import("/lcq.js");
    const { data } = await decodeIndices(Uint8Array.from(atob(file), (character) => character.charCodeAt(0)));
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
    return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }, bytes.toString("base64"));
}
