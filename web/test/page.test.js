/** The page in Chromium: what it opens, and how; web/build/screens has pictures of it. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { open } from "./browser.js";
import { chunks } from "./bytes.js";
import { CASES, LANDSCAPE, PATIENCE, ROOT, SAMPLE, SCREENS, browser, caseOf, choose, difference, facts, opened, page, python, saved, told } from "./page.js";
import { serve } from "./server.js";
import { stopAt } from "./stopping.js";

test("a file is chosen: a picture and what its header says", async () => {
  await opened("lattice.lcq", SAMPLE);
  assert.deepEqual(await facts("#open [data-facts]"), {
    Size: "192 × 176 pixels",
    File: `${SAMPLE.length.toLocaleString("en")} bytes, 0.259 bits per pixel`,
    Colour: "RGB, 8 bits a sample",
    Colours: "sRGB",
    Quality: "50",
    Model: "lattice",
    "Tuned for": "PSNR",
    Tiles: "one",
    Format: "1.0",
  });
  assert.equal(await page.getAttribute("#open [data-stage]", "aria-label"), "lattice.lcq, 192 × 176 pixels");
  const { name, bytes } = await saved("#open [data-download]");
  assert.equal(name, "lattice.png");
  assert.deepEqual(chunks(bytes), ["IHDR", "IDAT", "IEND"]);
  assert.ok((await difference(bytes, readFileSync(`${ROOT}tests/shipped/lattice.png`))) <= 1);
  await page.screenshot({ path: `${SCREENS}open.png` });
});

test("the first picture of the default model takes few transfers: page, runtime and model", async () => {
  const own = await serve(`${ROOT}web/dist`);
  const { page: other } = await open(browser, own.origin, "/");
  try {
    await other.locator("#open [data-files]").first().setInputFiles(`${ROOT}tests/shipped/lattice-ssimulacra2-2.lcq`);
    await other.waitForSelector("#open [data-download]:not([disabled])", { timeout: PATIENCE });
    const bytes = own.bytes();
    assert.ok(bytes > 20e6 && bytes < 30e6, `${bytes} bytes`);
  } finally {
    await other.context().close();
    await own.close();
  }
});

test("the picture is copied", async () => {
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await opened("lattice.lcq", SAMPLE);
  await page.click("#open [data-copy]");
  await page.waitForSelector("#open [data-told]:not(:empty)");
  assert.equal(await told("open"), "lattice.lcq: copied");
  const size = await page.evaluate(async () => {
    const [item] = await navigator.clipboard.read();
    const { width, height } = await createImageBitmap(await item.getType("image/png"));
    return [width, height];
  });
  assert.deepEqual(size, [192, 176]);
});

test("files are dropped anywhere, and go where they belong", async () => {
  await page.click("#compress-tab");
  await page.evaluate((file) => {
    const data = new DataTransfer();
    data.items.add(new File([Uint8Array.from(atob(file), (character) => character.charCodeAt(0))], "dropped.lcq"));
    document.body.dispatchEvent(new DragEvent("dragenter", { dataTransfer: data, bubbles: true }));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
  }, SAMPLE.toString("base64"));
  await page.waitForFunction(() => document.querySelector("#open [data-name]").textContent === "dropped.lcq");
  await page.waitForSelector("#open [data-download]:not([disabled])");
  assert.equal(await page.isVisible("#open"), true);
  assert.equal(await page.isVisible("#compress"), false);
});

test("a picture in tiles is drawn as they come", async () => {
  await page.evaluate(() => {
    const progress = document.querySelector("#open progress");
    window.shares = [];
    new MutationObserver(() => progress.hasAttribute("value") && window.shares.push(progress.value)).observe(progress, {
      attributes: true,
    });
  });
  await opened("tiles.lcq", readFileSync(CASES + caseOf("lattice, tiles").file)); // 190 x 150 pixels, some of them transparent
  assert.match((await facts("#open [data-facts]")).Tiles, /^9 of 64 pixels a side$/);
  assert.deepEqual(await page.evaluate(() => window.shares.map((share) => Math.round(9 * share))), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  await page.screenshot({ path: `${SCREENS}tiles.png` });
});

test("the example of the README shows a picture", async () => {
  const [, html] = /```html\n([^]*?)```/.exec(readFileSync(`${ROOT}web/README.md`, "utf8"));
  const beside = await serve(`${ROOT}web`);
  const other = await browser.newPage();
  try {
    await other.route(`${beside.origin}/example.html`, (route) => route.fulfill({ contentType: "text/html", body: html }));
    await other.route(`${beside.origin}/photo.lcq`, (route) => route.fulfill({ body: SAMPLE }));
    await other.goto(`${beside.origin}/example.html`);
    await other.waitForFunction(() => {
      const canvas = document.getElementById("picture");
      return canvas.width === 192 && canvas.getContext("2d").getImageData(0, 0, 1, 1).data[3] === 255;
    }, null, { timeout: PATIENCE });
  } finally {
    await other.close();
    await beside.close();
  }
});

test("a large picture is there from the top while it builds up, and is stopped", async () => {
  const program = [
    "import sys, latticecodec",
    "sys.stdout.buffer.write(latticecodec.encode(sys.argv[1], model='lattice-1', effort=0, tile=128))",
  ].join("\n");
  const buffer = python(program, [LANDSCAPE]);
  await stopAt(page, "open", 0.3);
  await choose("open", { name: "large.lcq", mimeType: "", buffer });
  await page.waitForSelector("#open [data-told]:not(:empty)");
  assert.equal(await told("open"), "large.lcq: stopped");
  await page.screenshot({ path: `${SCREENS}large.png` });
  const drawn = await page.$eval("#open canvas", (canvas) => {
    const context = canvas.getContext("2d");
    return [[10, 10], [750, 10], [750, 500]].map(([x, y]) => context.getImageData(x, y, 1, 1).data[3]);
  });
  assert.deepEqual(drawn, [255, 255, 0]); // rows of tiles from the top
});

test("it works offline once it was loaded", async () => {
  await page.context().setOffline(true);
  try {
    await page.reload();
    await opened("offline.lcq", SAMPLE);
  } finally {
    await page.context().setOffline(false);
  }
});
