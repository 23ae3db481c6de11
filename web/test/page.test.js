/** The page in Chromium: what it opens, what it compresses, what it says of what it cannot; web/build/screens has pictures of it. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, statSync } from "node:fs";
import { after, afterEach, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { crc32 } from "../crc32.js";
import { toPng } from "../page/png.js";
import { launch, open } from "./browser.js";
import { serve } from "./server.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const CASES = `${ROOT}web/build/cases/`; // of tests/web/prepare.py
const SCREENS = `${ROOT}web/build/screens/`;
const PYTHON = process.env.PYTHON || `${ROOT}.venv/bin/python`;
const SAMPLE = readFileSync(`${ROOT}tests/shipped/lattice.lcq`); // 192 x 176 pixels
const LANDSCAPE = `${ROOT}samples/landscape.png`;
const PATIENCE = 120_000; // milliseconds

let browser, page, complaints, server;

before(async () => {
  mkdirSync(SCREENS, { recursive: true });
  server = await serve(`${ROOT}web/dist`);
  browser = await launch();
  ({ page, complaints } = await open(browser, server.origin, "/"));
  page.setDefaultTimeout(PATIENCE);
  await page.setViewportSize({ width: 1280, height: 800 });
});

after(async () => {
  await browser?.close();
  server?.close();
});

afterEach(() => assert.deepEqual(complaints.splice(0), [], "errors in the console, or requests to others"));

/** Choose files, {name, mimeType, buffer}, in a view. */
async function choose(view, ...files) {
  await page.click(`#${view}-tab`);
  await page.locator(`#${view} [data-files]`).first().setInputFiles(files);
}

async function opened(name, bytes) {
  await choose("open", { name, mimeType: "", buffer: Buffer.from(bytes) });
  await page.waitForFunction((name) => {
    const view = document.querySelector("#open");
    const done = view.querySelector("[data-name]").textContent === name && !view.querySelector("[data-download]").disabled;
    return done || view.querySelector("[data-told]").textContent;
  }, name);
  assert.equal(await told("open"), "");
}

async function told(view) {
  return page.textContent(`#${view} [data-told]`);
}

/** What a list of facts says, by term. */
async function facts(selector) {
  return page.$eval(selector, (list) => {
    const texts = (tag) => [...list.querySelectorAll(tag)].map((each) => each.textContent);
    const values = texts("dd");
    return Object.fromEntries(texts("dt").map((term, i) => [term, values[i]]));
  });
}

/** The bytes that a button has the browser save, and their name. */
async function saved(button) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.click(button)]);
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}

/** A row of what tests/web/prepare.py wrote: its file, and its samples as Python decodes them. */
function caseOf(name) {
  return JSON.parse(readFileSync(`${CASES}cases.json`)).find((row) => row.name === name);
}

/** Names of the chunks of a PNG. */
function chunks(png) {
  const found = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) found.push(png.toString("latin1", at + 4, at + 8));
  return found;
}

/** The largest difference between two pictures' samples, after the browser decoded both. */
async function difference(a, b) {
  return page.evaluate(async (files) => {
    const [a, b] = await Promise.all(files.map(async (file) => {
      const bytes = Uint8Array.from(atob(file), (character) => character.charCodeAt(0));
      const bitmap = await createImageBitmap(new Blob([bytes]));
      const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
      context.drawImage(bitmap, 0, 0);
      return context.getImageData(0, 0, bitmap.width, bitmap.height).data;
    }));
    return a.length === b.length ? a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i])), 0) : Infinity;
  }, [a, b].map((file) => file.toString("base64")));
}

/** A file with the minor version, and records [type, body] added to those of its header. */
function withRecords(bytes, records) {
  const end = bytes.readUInt32LE(10);
  const added = Buffer.concat(records.flatMap(([type, body]) => {
    const head = Buffer.alloc(5);
    head.writeUInt8(type);
    head.writeUInt32LE(body.length, 1);
    return [head, Buffer.from(body)];
  }));
  const head = Buffer.concat([bytes.subarray(0, end - 12), added, bytes.subarray(end - 12, end)]);
  head[9] = 1;
  return resealed(Buffer.concat([head, Buffer.alloc(4), bytes.subarray(end + 4)]), head.length);
}

/** A file with its header length, and its header CRC put right. */
function resealed(bytes, end = bytes.readUInt32LE(10)) {
  bytes.writeUInt32LE(end, 10);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, end)), end);
  return bytes;
}

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
  return JSON.parse(execFileSync(PYTHON, ["-c", program], { input: bytes, cwd: ROOT }));
}

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
    await other.locator("#open [data-files]").first().setInputFiles(`${ROOT}tests/shipped/lattice-ssimulacra2.lcq`);
    await other.waitForSelector("#open [data-download]:not([disabled])", { timeout: PATIENCE });
    const bytes = own.bytes();
    assert.ok(bytes > 20e6 && bytes < 30e6, `${bytes} bytes`);
  } finally {
    await other.context().close();
    own.close();
  }
});

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
  const profile = "from PIL import ImageCms; import sys; sys.stdout.buffer.write(ImageCms.ImageCmsProfile(ImageCms.createProfile('sRGB')).tobytes())";
  const icc = execFileSync(PYTHON, ["-c", profile]);
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
  const profile = "from PIL import ImageCms; import sys; sys.stdout.buffer.write(ImageCms.ImageCmsProfile(ImageCms.createProfile('sRGB')).tobytes())";
  const icc = execFileSync(PYTHON, ["-c", profile]);
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
  const own = Uint16Array.from(new Uint16Array(new Uint8Array(execFileSync(PYTHON, ["-c", program], { input: bytes })).buffer));
  const expected = new Uint16Array(new Uint8Array(readFileSync(CASES + row.samples)).buffer);
  assert.equal(own.length, expected.length);
  assert.ok(own.every((sample, i) => Math.abs(sample - expected[i]) <= 1));
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

test("damaged EXIF is passed over", async () => {
  await opened("odd.lcq", withRecords(SAMPLE, [[130, Buffer.from("II*\0\xff\xff\xff\x7f", "latin1")]]));
  assert.deepEqual(Object.keys(await facts("#open [data-metadata-facts]")), ["EXIF"]);
});

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

test("the keyboard reaches everything", async () => {
  await page.focus("#open-tab");
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.isVisible("#compress"), true);
  await page.keyboard.press("Home");
  assert.equal(await page.isVisible("#open"), true);
  await page.focus("#open [data-stage]");
  const zoom = () => page.$eval("#open [data-zoom] output", ({ value }) => value);
  await page.keyboard.press("1");
  assert.equal(await zoom(), "100 %");
  await page.keyboard.press("+");
  assert.equal(await zoom(), "125 %");
  const place = () => page.$eval("#open canvas", ({ style }) => style.transform);
  for (let i = 0; i < 8; i++) await page.keyboard.press("+");
  const before = await place();
  await page.keyboard.press("ArrowRight");
  assert.notEqual(await place(), before);
  await page.keyboard.press("0");
  assert.equal(await zoom(), "100 %");
  const nameless = await page.evaluate(() => {
    const named = (each) => each.textContent.trim() || each.getAttribute("aria-label") || each.labels?.length;
    return [...document.querySelectorAll("button, input, progress, [role=img], [role=tabpanel]")]
      .filter((each) => !named(each) && !each.getAttribute("aria-labelledby"))
      .map((each) => each.outerHTML);
  });
  assert.deepEqual(nameless, []);
});

test("the stage shows that it has the focus, whatever the picture is", async () => {
  const stage = page.locator("#open [data-stage]");
  const edge = async () => {
    const { x, y, height } = await stage.boundingBox();
    return page.screenshot({ clip: { x, y: y + height / 2, width: 2, height: 2 } });
  };
  await page.click("#open-tab");
  await opened("lattice.lcq", SAMPLE);
  await stage.focus();
  for (let i = 0; i < 22; i++) await page.keyboard.press("+"); // the picture reaches its edges
  const focused = await edge();
  await page.keyboard.press("Tab");
  assert.ok((await difference(focused, await edge())) > 32);
});

test("a picture that comes while its view is hidden is shown whole, and the main button alone drags it", async () => {
  const zoom = () => page.textContent("#open [data-zoom] output");
  const place = () => page.$eval("#open canvas", ({ style }) => style.transform);
  await opened("lattice.lcq", SAMPLE);
  await page.focus("#open [data-stage]");
  await page.keyboard.press("1");
  for (let i = 0; i < 22; i++) await page.keyboard.press("+");
  const [near, before] = [await zoom(), await place()];
  const { x, y } = await page.locator("#open [data-stage]").boundingBox();
  for (const button of ["right", "left"]) {
    await page.mouse.move(x + 100, y + 100);
    await page.mouse.down({ button });
    await page.mouse.move(x + 150, y + 140);
    await page.mouse.up({ button });
    assert.equal((await place()) === before, button === "right", button);
  }
  await page.evaluate(() => document.querySelector("#open [data-files]").addEventListener("change", () => document.querySelector("#compress-tab").click(), { once: true }));
  await opened("other.lcq", SAMPLE);
  assert.equal(await page.isVisible("#compress"), true);
  await page.click("#open-tab");
  await page.waitForFunction((near) => document.querySelector("#open [data-zoom] output").value !== near, near);
  assert.equal(await zoom(), "100 %");
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
  await compared();
  const rows = await table();
  assert.deepEqual(Object.keys(rows), [".lcq", "JPEG", "WebP"]);
  for (const format of ["JPEG", "WebP"]) {
    assert.ok(rows[format].bytes <= rows[".lcq"].bytes && rows[format].bytes > 0.8 * rows[".lcq"].bytes);
    assert.ok(rows[format].psnr < rows[".lcq"].psnr && rows[format].psnr > 30);
  }
  const { name, bytes } = await saved("#compress [data-download]");
  assert.equal(name, "landscape.lcq");
  assert.equal(bytes.length, rows[".lcq"].bytes);
  const python = inPython(bytes);
  assert.equal(python.indices, await indicesHere(bytes));
  assert.deepEqual([python.size, python.tiles, python.minor], [[768, 512], 1, 0]);
  assert.ok(Math.abs(python.quality - 50) < 0.05);
  const effort0 = execFileSync(PYTHON, ["-c", "import sys, latticecodec; sys.stdout.buffer.write(latticecodec.encode(sys.argv[1], model='lattice', effort=0))", LANDSCAPE]);
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
  await compared();
  assert.ok((await table())[".lcq"].bytes < rows[".lcq"].bytes);
});

test("work is stopped, and says so", async () => {
  await page.click("#compress-tab");
  await page.locator("#compress [data-quality]").fill("80");
  await page.click("#compress [data-stop]");
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
    const python = inPython(bytes);
    assert.equal(python.indices, await indicesHere(bytes));
    assert.deepEqual(python.size, [width, height]);
    assert.ok(Math.abs(python.quality - quality) < 0.05);
    assert.deepEqual([python.tiles, python.minor], tile ? [9, 1] : [1, 0]);
    const options = [width, height, quality, tile, bytes.length].map(String);
    const same = execFileSync(PYTHON, ["-c", program, ...options], { input: Buffer.concat([bytes, samples]), cwd: ROOT });
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
    beside.close();
  }
});

test("dark, and on a narrow screen", async () => {
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

test("a large picture is there from the top while it builds up, and is stopped", async () => {
  const program = [
    "import sys, latticecodec",
    "sys.stdout.buffer.write(latticecodec.encode(sys.argv[1], model='lattice-1', effort=0, tile=128))",
  ].join("\n");
  const buffer = execFileSync(PYTHON, ["-c", program, LANDSCAPE], { cwd: ROOT, maxBuffer: 2 ** 24 });
  await choose("open", { name: "large.lcq", mimeType: "", buffer });
  await page.waitForFunction(() => document.querySelector("#open progress").value >= 0.3, null, { polling: 20 });
  await page.screenshot({ path: `${SCREENS}large.png` });
  await page.click("#open [data-stop]");
  await page.waitForSelector("#open [data-told]:not(:empty)");
  assert.equal(await told("open"), "large.lcq: stopped");
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

/** All of the table is there. */
async function compared() {
  await page.waitForSelector("#compress [data-waiting]:not([hidden])", { state: "attached" });
  await page.waitForSelector("#compress [data-waiting][hidden]", { state: "attached" });
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
