/** The view that compresses, where things come in another order than they should: changes, Stop, lost connections, other browsers. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";

import { Reader } from "../container.js";
import { toPng } from "../page/png.js";
import { stopAt } from "./stopping.js";
import { fresh } from "./view.js";

const DIST = fileURLToPath(new URL("../dist", import.meta.url));
const QUALITY = "#compress [data-quality]";
const TOLD = "#compress [data-told]";

const own = fresh();
let page;

beforeEach(async () => {
  ({ page } = own);
  await page.click("#compress-tab");
});

/** A photograph of a name and size, as a file to be chosen. */
async function photograph(name, width, height) {
  const samples = Uint8Array.from({ length: 3 * width * height }, (_, i) => 128 + 100 * Math.sin(i / 31));
  const png = await toPng({ width, height, channels: 3, depth: 8, samples }, {});
  return { name, mimeType: "image/png", buffer: Buffer.from(await png.arrayBuffer()) };
}

async function choose(file) {
  await page.locator("#compress [data-files]").first().setInputFiles(file);
}

/** What is downloaded, once it is there: its name, and the size of the picture in it. */
async function downloaded() {
  await page.waitForSelector("#compress [data-download]:not([disabled])");
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#compress [data-download]")]);
  const { header } = new Reader(new Uint8Array(readFileSync(await download.path())));
  return [download.suggestedFilename(), header.width, header.height, Math.round(header.quality)];
}

test("a change of the quality while a photograph is analysed is for that photograph", async () => {
  await choose(await photograph("one.png", 48, 32));
  assert.deepEqual(await downloaded(), ["one.lcq", 48, 32, 50]);
  await page.evaluate((selector) => {
    const slider = document.querySelector(selector);
    const change = () => {
      slider.value = 70;
      slider.dispatchEvent(new Event("change"));
    };
    new MutationObserver(change).observe(document.querySelector("#compress [data-name]"), { childList: true });
  }, QUALITY);
  await choose(await photograph("two.png", 40, 64));
  assert.deepEqual(await downloaded(), ["two.lcq", 40, 64, 70]);
  assert.match(await page.textContent("[data-announced]"), /^two\.png is compressed, [\d,]+ bytes, [\d.]+ dB$/);
});

test("after Stop, and after a model that could not be fetched, a change begins again", async () => {
  let [held, cut] = [[], false];
  await page.route("**/models/*.json", (route) => (cut ? route.abort() : held.push(route)));
  await choose(await photograph("slow.png", 48, 32));
  await page.waitForSelector("#compress canvas");
  await page.click("#compress [data-stop]");
  assert.equal(await page.textContent(TOLD), "slow.png: stopped");
  cut = true;
  for (const route of held) await route.abort();
  await page.locator(QUALITY).fill("60");
  await page.waitForSelector("#compress .wrong");
  assert.match(await page.textContent(TOLD), /^slow\.png: .*connection/);
  await page.unroute("**/models/*.json");
  await page.locator(QUALITY).fill("80");
  assert.deepEqual(await downloaded(), ["slow.lcq", 48, 32, 80]);
  assert.equal(await page.textContent(TOLD), "");
});

test("a runtime that could not be fetched is fetched again", async () => {
  await page.route("**/*.wasm", (route) => route.abort());
  await choose(await photograph("cut.png", 48, 32));
  await page.waitForSelector("#compress .wrong");
  const line = "cut.png: what computes the model cannot be fetched or started; try again when there is a connection";
  assert.equal(await page.textContent(TOLD), line);
  await page.unroute("**/*.wasm");
  await choose(await photograph("whole.png", 40, 24));
  assert.deepEqual(await downloaded(), ["whole.lcq", 40, 24, 50]);
});

test("a picture for which there is no canvas is one line", async () => {
  await page.evaluate(() => (HTMLCanvasElement.prototype.getContext = () => null)); // as browsers do where it is too large
  await choose(await photograph("large.png", 48, 32));
  await page.waitForSelector("#compress .wrong");
  assert.equal(await page.textContent(TOLD), "large.png: a picture of 48x32 pixels is too large for this browser");
});

test("a format that the browser does not write has no row", async () => {
  const instead = `const own = OffscreenCanvas.prototype.convertToBlob;
    OffscreenCanvas.prototype.convertToBlob = function (options) {
      return own.call(this, options.type === "image/webp" ? {} : options); // PNG, as Safari does
    };`;
  const body = instead + readFileSync(`${DIST}/page/worker.js`, "utf8");
  await page.route("**/page/worker.js", async (route) => route.fulfill({ response: await route.fetch(), body }));
  await choose(await photograph("safari.png", 48, 32));
  assert.deepEqual(await downloaded(), ["safari.lcq", 48, 32, 50]);
  await page.waitForSelector("#compress [data-waiting][hidden]", { state: "attached" });
  const rows = page.locator("#compress [data-rows] tr");
  assert.deepEqual(await rows.evaluateAll((rows) => rows.map(({ hidden }) => hidden)), [false, false, true]);
});

/** Set the quality; what is seen at once of the canvases' corners, 255 where a canvas has something. */
function changed(quality) {
  return page.evaluate(([selector, quality]) => {
    const slider = document.querySelector(selector);
    slider.value = quality;
    slider.dispatchEvent(new Event("change"));
    return [...document.querySelectorAll("#compress canvas")].map((canvas) => canvas.getContext("2d").getImageData(0, 0, 1, 1).data[3]);
  }, [QUALITY, quality]);
}

async function idle() {
  await page.waitForSelector("#compress [data-waiting][hidden]", { state: "attached" });
}

test("no result of another quality stays beside the original, nor after Stop", async () => {
  await choose(await photograph("one.png", 48, 32));
  await downloaded();
  await idle();
  assert.deepEqual(await changed(20), [255, 0, 0, 0]);
  await downloaded();
  await idle();
  await stopAt(page, "compress", 0);
  await changed(90);
  await page.waitForSelector("#compress [data-told]:not(:empty)");
  const seen = await page.$$eval("#compress canvas", (canvases) => canvases.map((canvas) => canvas.getContext("2d").getImageData(0, 0, 1, 1).data[3]));
  assert.deepEqual([await page.textContent(TOLD), seen], ["one.png: stopped", [255, 0, 0, 0]]);
});

test("a comparison that fails costs its row alone", async () => {
  const instead = `const own = OffscreenCanvas.prototype.convertToBlob;
    OffscreenCanvas.prototype.convertToBlob = function (options) {
      if (options.type === "image/jpeg") throw new Error("no room");
      return own.call(this, options);
    };`;
  const body = instead + readFileSync(`${DIST}/page/worker.js`, "utf8");
  await page.route("**/page/worker.js", async (route) => route.fulfill({ response: await route.fetch(), body }));
  await choose(await photograph("one.png", 48, 32));
  assert.deepEqual(await downloaded(), ["one.lcq", 48, 32, 50]);
  await idle();
  const line = "one.png: no comparison with JPEG: the browser cannot do this (no room); close other pages, or take another browser";
  assert.equal(await page.textContent(TOLD), line);
  const rows = page.locator("#compress [data-rows] tr");
  assert.deepEqual(await rows.evaluateAll((rows) => rows.map(({ hidden }) => hidden)), [false, true, false]);
  await page.evaluate(() => (document.querySelector("#compress canvas").className = "same"));
  await changed(70);
  assert.deepEqual(await downloaded(), ["one.lcq", 48, 32, 70]);
  assert.equal(await page.locator("#compress canvas.same").count(), 1); // it was not analysed again
});

test("after the worker has ended a change of the quality begins again", async () => {
  await page.addInitScript(() => {
    window.workers = [];
    window.Worker = class extends Worker {
      constructor(...given) {
        super(...given);
        window.workers.push(this);
      }
    };
  });
  await page.reload();
  await page.click("#compress-tab");
  await choose(await photograph("one.png", 48, 32));
  await downloaded();
  await idle();
  await page.evaluate(() => (document.querySelector("#compress canvas").className = "same"));
  await page.evaluate(() => window.workers[0].dispatchEvent(new ErrorEvent("error", { message: "no memory" })));
  await changed(70);
  assert.deepEqual(await downloaded(), ["one.lcq", 48, 32, 70]);
  assert.equal(await page.locator("#compress canvas.same").count(), 0);
});

test("of several photographs that are dropped the first is compressed, which is told", async () => {
  const files = await Promise.all(["one.png", "two.png", "three.png"].map((name) => photograph(name, 40, 24)));
  await page.evaluate((files) => {
    const data = new DataTransfer();
    for (const [name, bytes] of files) data.items.add(new File([Uint8Array.from(bytes)], name, { type: "image/png" }));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
  }, files.map(({ name, buffer }) => [name, [...buffer]]));
  assert.deepEqual(await downloaded(), ["one.lcq", 40, 24, 50]);
  assert.equal(await page.textContent(TOLD), "one.png: the first of 3 files; lcodec compress takes them all");
});

test("a canvas that takes nothing is not taken for a transparent picture", async () => {
  const told = await page.evaluate(async () => {
    const { pixelsOf } = await import("/page/photograph.js");
    const read = async () => {
      const bitmap = await createImageBitmap(new ImageData(3, 2));
      try {
        return pixelsOf(bitmap).width;
      } catch (error) {
        return `${error.name}: ${error.message}`;
      }
    };
    const found = [await read()];
    OffscreenCanvasRenderingContext2D.prototype.fillRect = () => {};
    found.push(await read());
    OffscreenCanvas.prototype.getContext = () => null;
    return [...found, await read()];
  });
  const line = "LcqError: a picture of 3x2 pixels is too large for this browser";
  assert.deepEqual(told, [3, line, line]);
});
