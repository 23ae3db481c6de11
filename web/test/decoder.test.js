/** What callers of lcq.js count on beside the pictures: tiles as they come, what is fetched, what stops a decoder. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, afterEach, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { launch, open } from "./browser.js";
import { serve } from "./server.js";

const WEB = fileURLToPath(new URL("..", import.meta.url));
const CASES = JSON.parse(readFileSync(`${WEB}build/cases/cases.json`, "utf8"));
const FILE = (name) => `/build/cases/${CASES.find((row) => row.name === name).file}`;
const TRANSFERS_MAX = 30e6; // bytes until the first picture of a lattice

let browser, page, complaints, server;

before(async () => {
  server = await serve(WEB);
  browser = await launch();
  ({ page, complaints } = await open(browser, server.origin));
});

after(async () => {
  await browser?.close();
  await server?.close();
});

afterEach(() => assert.deepEqual(complaints.splice(0), [], "errors in the console, or requests to others"));

test("a first picture takes few transfers, and its model is kept by the browser", async () => {
  const decodeOnce = async (address) => {
    const { decode } = await import("/dist/lcq.js");
    const bytes = new Uint8Array(await (await fetch(address)).arrayBuffer());
    return (await decode(bytes)).samples.length;
  };
  server.bytes();
  assert.equal(await page.evaluate(decodeOnce, FILE("lattice, first")), 192 * 176 * 3);
  const first = server.bytes();
  assert.ok(first < TRANSFERS_MAX, `${first} bytes`);
  await page.reload();
  await page.evaluate(decodeOnce, FILE("lattice, first"));
  const model = 6e6; // bytes of its synthesis and prior, at least
  assert.ok(server.bytes() < first - model);
});

test("tiles come one after the other and make up the picture", async () => {
  const found = await page.evaluate(async (address) => {
    const { decode } = await import("/dist/lcq.js");
    const bytes = new Uint8Array(await (await fetch(address)).arrayBuffer());
    const tiles = [];
    const { width, height, channels, samples } = await decode(bytes, { onTile: (tile) => tiles.push(tile) });
    const same = tiles.every((tile) =>
      tile.samples.every((sample, i) => {
        const [row, column] = [Math.floor(i / (channels * tile.width)), i % (channels * tile.width)];
        return sample === samples[((tile.y + row) * width + tile.x) * channels + column];
      }),
    );
    return { same, size: [width, height, channels], boxes: tiles.map((tile) => [tile.x, tile.y, tile.width, tile.height]) };
  }, FILE("lattice, tiles"));
  assert.deepEqual(found.size, [190, 150, 4]);
  const [columns, rows] = [[[0, 64], [64, 64], [128, 62]], [[0, 64], [64, 64], [128, 22]]];
  assert.deepEqual(found.boxes, rows.flatMap(([y, height]) => columns.map(([x, width]) => [x, y, width, height])));
  assert.ok(found.same);
});

test("a signal stops a decoder between two tiles", async () => {
  const found = await page.evaluate(async (address) => {
    const { decode } = await import("/dist/lcq.js");
    const bytes = new Uint8Array(await (await fetch(address)).arrayBuffer());
    const controller = new AbortController();
    let tiles = 0;
    const onTile = () => {
      tiles++;
      controller.abort();
    };
    const error = await decode(bytes, { onTile, signal: controller.signal }).catch((thrown) => thrown);
    return { tiles, name: error.name };
  }, FILE("lattice, tiles"));
  assert.deepEqual(found, { tiles: 1, name: "AbortError" });
});

test("a header is read without the payloads, and told as Python tells it", async () => {
  const found = await page.evaluate(async (address) => {
    const { readHeader } = await import("/dist/lcq.js");
    const bytes = new Uint8Array(await (await fetch(address)).arrayBuffer());
    const { width, height, channels, depth, model, quality, tile, tiles, version } = readHeader(bytes.subarray(0, 200));
    return { width, height, channels, depth, model, quality: Math.round(quality), tile, tiles, version };
  }, FILE("lattice, tiles"));
  const model = "03519984a4456155";
  const facts = { width: 190, height: 150, channels: 4, depth: 8, model, quality: 15, tile: 64, tiles: 9, version: [1, 1] };
  assert.deepEqual(found, facts);
});

test("a picture of more pixels than are wanted is refused, before its payloads are looked at", async () => {
  const found = await page.evaluate(async (address) => {
    const { decode, decodeIndices, readHeader } = await import("/dist/lcq.js");
    const bytes = new Uint8Array(await (await fetch(address)).arrayBuffer()).subarray(0, 200);
    const told = (error) => `${error.name}: ${error.message}`;
    const refused = [decode, decodeIndices, async (...given) => readHeader(...given)];
    const options = { maxPixels: 190 * 150 - 1 };
    const { width } = readHeader(bytes, { maxPixels: 190 * 150 });
    return [width, ...(await Promise.all(refused.map((each) => each(bytes, options).catch(told))))];
  }, FILE("lattice, tiles"));
  const told = "LimitError: 190x150 pixels is over the limit of 28,499";
  assert.deepEqual(found, [190, told, told, told]);
});

test("what a canvas takes: grey in all colours, 16 bits rounded to 8, alpha where there is one", async () => {
  const found = await page.evaluate(async () => {
    const { toImageData } = await import("/dist/lcq.js");
    const pictures = [
      { width: 2, height: 1, channels: 1, depth: 16, samples: Uint16Array.of(0x0180, 0xffff) },
      { width: 1, height: 1, channels: 2, depth: 8, samples: Uint8Array.of(9, 7) },
      { width: 1, height: 1, channels: 4, depth: 8, samples: Uint8Array.of(1, 2, 3, 4) },
    ];
    return pictures.map((picture) => [...toImageData(picture).data]);
  });
  assert.deepEqual(found, [[1, 1, 1, 255, 255, 255, 255, 255], [9, 9, 9, 7], [1, 2, 3, 4]]);
});

test("browsers without WebCodecs read colours with alpha by WebGL, to the same samples", async () => {
  const files = CASES.filter(({ name }) => name.includes("joint-") && name.startsWith("files/"));
  assert.equal(files.length, 5);
  for (const { file, name } of files) {
    const found = await page.evaluate(async (address) => {
      const { decode } = await import("/dist/lcq.js");
      const bytes = new Uint8Array(await (await fetch(address)).arrayBuffer());
      const models = `${location.origin}/build/models/`;
      const known = globalThis.ImageDecoder;
      const first = await decode(bytes, { models });
      delete globalThis.ImageDecoder;
      const second = await decode(bytes, { models });
      globalThis.ImageDecoder = known;
      return [Boolean(known), first.samples.length, first.samples.findIndex((value, at) => value !== second.samples[at])];
    }, `/build/cases/${file}`);
    assert.deepEqual([found[0], found[2]], [true, -1], name);
  }
});

test("a model that is not there is one line", async () => {
  const message = await page.evaluate(async (address) => {
    const { decode } = await import("/dist/lcq.js");
    const bytes = new Uint8Array(await (await fetch(address)).arrayBuffer());
    return decode(bytes).catch((error) => `${error.name}: ${error.message}`);
  }, FILE("files/lattice-middle.lcq"));
  const told = "ModelError: the file was written with model 332d9b868ee58923, which is not installed";
  assert.equal(message, `${told}: a page with that model, or a newer latticecodec, opens it`);
});
