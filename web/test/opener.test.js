/** The view that opens files, where something fails or comes late: files that cannot be read, lists of models, copies, downloads. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";

import { fresh } from "./view.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SAMPLE = readFileSync(`${ROOT}tests/shipped/lattice.lcq`);
const STORED = readFileSync(`${ROOT}tests/conformance/files/lossless-noise.lcq`); // takes no model

const own = fresh();
let page;

beforeEach(() => {
  ({ page } = own);
});

/** Choose files, [name, bytes]. */
async function choose(...files) {
  const chosen = files.map(([name, buffer]) => ({ name, mimeType: "", buffer }));
  await page.locator("#open [data-files]").first().setInputFiles(chosen);
}

async function opened(name, bytes) {
  await choose([name, bytes]);
  await done(name);
}

async function done(name) {
  await page.waitForFunction((name) => {
    const part = (each) => document.querySelector(`#open [data-${each}]`);
    return part("name").textContent === name && !part("download").disabled;
  }, name);
}

/** What the view says: its line, heading, facts, whether there is something to download, and to see. */
function view() {
  return page.evaluate(() => {
    const part = (name) => document.querySelector(`#open [data-${name}]`);
    const [told, name, facts] = ["told", "name", "facts"].map((each) => part(each).textContent);
    return { told, name, facts, download: !part("download").disabled, canvases: part("stage").children.length };
  });
}

/** Drop a file on the page that cannot be read, as folders and those without permission are. */
async function dropUnreadable(name) {
  await page.evaluate((name) => {
    const file = new File(["x"], name);
    const failing = () => Promise.reject(new DOMException("A requested file could not be found.", "NotFoundError"));
    Object.assign(file, { arrayBuffer: failing, slice: () => ({ arrayBuffer: failing }) });
    const event = new DragEvent("drop", { bubbles: true, cancelable: true });
    Object.defineProperty(event, "dataTransfer", { value: { files: [file] } });
    document.body.dispatchEvent(event);
  }, name);
}

test("a folder that is dropped, or a file that cannot be read, is one line, and nothing of the file before stays", async () => {
  const line = "folder: cannot be read (A requested file could not be found.); of a folder, choose the files in it";
  await dropUnreadable("folder");
  await page.waitForSelector("#open .wrong");
  assert.deepEqual(await view(), { told: line, name: "folder", facts: "", download: false, canvases: 0 });
  await opened("stored.lcq", STORED);
  await dropUnreadable("folder");
  await page.waitForSelector("#open .wrong");
  assert.deepEqual(await view(), { told: line, name: "folder", facts: "", download: false, canvases: 0 });
  assert.equal(await page.isVisible("#open [data-start]"), true);
});

test("of a file the page reads the header, and the worker the rest", async () => {
  await page.evaluate(() => {
    window.read = 0;
    const own = Blob.prototype.arrayBuffer;
    Blob.prototype.arrayBuffer = function () {
      window.read += this.size;
      return own.call(this);
    };
  });
  await opened("stored.lcq", STORED);
  const read = await page.evaluate(() => window.read);
  assert.ok(read > 0 && read < 200, `${read} of ${STORED.length} bytes`);
});

test("a picture is there before the list of models, which has its model's name", async () => {
  const held = [];
  await page.route("**/models/models.json", (route) => held.push(route));
  await page.reload();
  await opened("stored.lcq", STORED);
  assert.match((await view()).facts, /Modelnone is needed/);
  await choose(["sample.lcq", SAMPLE]);
  await page.waitForFunction(() => /Model03519984a4456155/.test(document.querySelector("#open [data-facts]").textContent));
  for (const route of held) await route.continue();
  await page.waitForFunction(() => /Modellattice/.test(document.querySelector("#open [data-facts]").textContent));
});

test("a list of models that is none leaves out names alone", async () => {
  await page.route("**/models/models.json", (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html>" }));
  await page.reload();
  await opened("stored.lcq", STORED);
  assert.equal((await view()).told, "");
});

test("what is copied is told of the file that it is of", async () => {
  await page.evaluate(() => {
    navigator.clipboard.write = () => new Promise((resolve) => (window.copied = resolve));
  });
  await opened("one.lcq", STORED);
  await page.click("#open [data-copy]");
  await opened("two.lcq", STORED);
  await page.evaluate(() => window.copied());
  assert.equal((await view()).told, "");
  await page.click("#open [data-copy]");
  await page.evaluate(() => window.copied());
  assert.equal((await view()).told, "two.lcq: copied");
  await page.evaluate(() => Object.defineProperty(navigator, "clipboard", { value: undefined })); // as at plain http
  await page.click("#open [data-copy]");
  const line = "two.lcq: the browser lets it be copied at https and loopback addresses alone; download it";
  assert.equal((await view()).told, line);
});

test("clicks on Download while the PNG is made save it once, and it is stopped", async () => {
  await opened("one.lcq", STORED);
  const names = [];
  page.on("download", (download) => names.push(download.suggestedFilename()));
  const waiting = () => page.evaluate(() => {
    for (let i = 0; i < 3; i++) document.querySelector("#open [data-download]").click();
    return !document.querySelector("#open [data-waiting]").hidden;
  });
  assert.equal(await waiting(), true);
  await page.waitForSelector("#open [data-waiting][hidden]", { state: "attached" });
  await page.evaluate(() => {
    document.querySelector("#open [data-download]").click();
    document.querySelector("#open [data-stop]").click();
  });
  await page.waitForFunction(() => document.querySelector("#open [data-told]").textContent);
  assert.deepEqual([(await view()).told, names], ["one.lcq: stopped", ["one.png"]]);
});

test("screen readers hear what is done, and the focus is never lost", async () => {
  const focused = () => page.evaluate(() => document.activeElement.outerHTML.replace(/>[^]*/, ">"));
  const heading = '<h2 tabindex="-1" data-name="">';
  const cdp = await page.context().newCDPSession(page);
  const regions = async () => {
    const { nodes } = await cdp.send("Accessibility.getFullAXTree");
    return nodes.filter(({ role, ignored }) => role?.value === "status" && !ignored).length;
  };
  assert.equal(await regions(), 2); // before there is anything to say
  await page.locator("#open [data-files]").first().focus();
  await opened("one.lcq", STORED);
  assert.equal(await focused(), heading);
  assert.equal(await page.textContent("[data-announced]"), "one.lcq is open, 16 × 16 pixels");
  await page.route("**/models/*", () => {}); // is never answered
  await choose(["slow.lcq", SAMPLE]);
  await page.waitForSelector("#open [data-stop]"); // until it is seen it takes no focus
  await page.focus("#open [data-stop]");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#open [data-waiting][hidden]", { state: "attached" });
  assert.equal(await focused(), heading);
  assert.deepEqual([(await view()).told, await page.textContent("[data-announced]")], ["slow.lcq: stopped", ""]);
  await dropUnreadable("folder"); // and there is no work any more
  await page.waitForSelector("#open .wrong");
  assert.match(await focused(), /^<input type="file"/);
});

test("a PNG that fails is told with its name, also where another file was chosen meanwhile", async () => {
  const broken = "globalThis.CompressionStream = class { constructor() { throw new Error('no room'); } };";
  const body = broken + readFileSync(`${ROOT}web/dist/page/worker.js`, "utf8");
  await page.route("**/page/worker.js", async (route) => route.fulfill({ response: await route.fetch(), body }));
  await choose(["one.lcq", STORED], ["two.lcq", STORED]);
  await done("one.lcq");
  await page.evaluate(() => {
    document.querySelector("#open [data-download]").click();
    document.querySelector("#open li:last-child button").click();
  });
  await page.waitForSelector("#open .wrong");
  await done("two.lcq");
  const line = "one.lcq: the browser cannot do this (no room); close other pages, or take another browser";
  assert.equal((await view()).told, line);
});

test("the picture that is open is there also after the worker that had it has ended", async () => {
  await page.route("**/*.wasm", (route) => route.abort());
  await opened("one.lcq", STORED);
  await page.click("#compress-tab");
  await page.evaluate(async () => {
    const blob = await new OffscreenCanvas(16, 16).getContext("2d", { alpha: false }).canvas.convertToBlob();
    const data = new DataTransfer();
    data.items.add(new File([blob], "photo.png", { type: "image/png" }));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
  });
  await page.waitForSelector("#compress .wrong");
  await page.click("#open-tab");
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#open [data-download]")]);
  assert.equal(download.suggestedFilename(), "one.png");
  const png = readFileSync(await download.path());
  assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20), (await view()).told], [16, 16, ""]);
});

test("a picture whose canvas takes nothing is one line, and not a blank one", async () => {
  await page.evaluate(() => (CanvasRenderingContext2D.prototype.fillRect = () => {})); // as browsers do where it is too large
  await choose(["large.lcq", STORED]);
  await page.waitForSelector("#open .wrong");
  const { told, download, canvases } = await view();
  assert.deepEqual([told, download, canvases], ["large.lcq: a picture of 16x16 pixels is too large for this browser", false, 0]);
});
