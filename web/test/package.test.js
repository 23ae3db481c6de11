/** What programs that use the modules count on: models from where they say, one line for what cannot be, arguments that are checked. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { runInNewContext } from "node:vm";

import { PictureEncoder } from "../dist/encode.js";
import { decode, decodeIndices, readHeader } from "../dist/lcq.js";
import { lineOf, served } from "./standin.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SAMPLE = new Uint8Array(readFileSync(`${ROOT}tests/shipped/lattice.lcq`));
const STORES = {
  "is forbidden": () => Promise.reject(new DOMException("The operation is insecure.", "SecurityError")),
  "has no room": async () => ({
    match: async () => undefined,
    put: () => Promise.reject(new DOMException("Quota exceeded.", "QuotaExceededError")),
  }),
};

for (const [what, open] of Object.entries(STORES)) {
  test(`a picture is opened where the browser's store ${what}`, async () => {
    served();
    globalThis.caches = { open };
    const { width } = await decode(SAMPLE, { models: `http://${what.replaceAll(" ", "-")}/models/` });
    assert.equal(width, 192);
  });
}

const NOTHING = Object.create(null); // which cannot be written
const SMALL = { width: 16, height: 16, samples: new Uint8Array(3 * 16 * 16).fill(99) };

test("a folder of models is one line where it is none, or has no lattice", async () => {
  const of = (models) => PictureEncoder.of(SMALL, { models }).catch(lineOf);
  const list = (body, status = 200) => served({ "/models/models.json": new Response(body, { status }) });
  const [folder, address] = ["http://own/models/", "http://own/models/models.json"];
  list("<!doctype html>", 404);
  const exported = "web/export.py writes such a folder";
  assert.equal(await of(folder), `ModelError: ${address}: the list of models cannot be had (status 404); ${exported}`);
  list("<!doctype html>");
  assert.match(await of(folder), /^ModelError: .*models\.json: the list of models cannot be had \(Unexpected token .*\); web\/export\.py writes such a folder$/);
  for (const body of ["{}", "[null]"]) {
    list(body);
    assert.equal(await of(folder), `ModelError: ${address}: is no list of models; web/export.py writes one`);
  }
  for (const models of [[], [{ name: "vq", digest: "1".repeat(16) }, { name: "lattice-e8", digest: "2".repeat(16) }]]) {
    list(JSON.stringify(models));
    assert.equal(await of(folder), `ModelError: ${folder}: has no model lattice, which compresses; web/export.py adds it`);
  }
  globalThis.fetch = () => Promise.reject(new TypeError("Failed to fetch"));
  const line = "the list of models cannot be had (Failed to fetch); try again when there is a connection";
  assert.equal(await of(folder), `ModelError: ${address}: ${line}`);
  assert.equal(await of("models/"), "ModelError: models models/: is no address of a folder"); // relative to what?
});

test("a folder of models may be told relative to the page, to write as to read", async () => {
  globalThis.location = { href: "http://relative/page.html" };
  const asked = served();
  const bytes = await (await PictureEncoder.of(SMALL, { models: "./models/" })).encode(50);
  const { width, samples } = await decode(bytes.buffer, { models: "models/" });
  assert.deepEqual([width, samples.length], [16, 768]);
  assert.deepEqual(asked.filter((each) => !each.startsWith("http://relative/models/")), []);
});

test("a picture and options that are none are one line, before anything is computed", async () => {
  served();
  const models = "http://checked/models/";
  const rgba = { ...SMALL, samples: new Uint8ClampedArray(4 * 16 * 16) };
  const pictures = [
    [rgba, "RGB of 16x16 pixels takes 768 samples in Uint8Array, here are 1,024 in Uint8ClampedArray; leave out alpha, every fourth"],
    [{ ...SMALL, width: 15 }, "RGB of 15x16 pixels takes 720 samples in Uint8Array, here are 768 in Uint8Array"],
    [{ ...SMALL, samples: new Float32Array(768) }, "RGB of 16x16 pixels takes 768 samples in Uint8Array, here are 768 in Float32Array"],
    [{ width: 16, height: 16 }, "RGB of 16x16 pixels takes 768 samples in Uint8Array, here are 0 in undefined"],
    [{ ...SMALL, width: 15.5 }, "15.5x16 pixels; each side must be 1 to 65,535 and the area at most 2^28"],
    [{ ...SMALL, width: NOTHING }, "Objectx16 pixels; each side must be 1 to 65,535 and the area at most 2^28"],
    [{ ...SMALL, samples: NOTHING }, "RGB of 16x16 pixels takes 768 samples in Uint8Array, here are 0 in Object"],
    [null, "a picture is given as {width, height, samples}, not as null"],
    ["photo.png", "a picture is given as {width, height, samples}, not as String"],
  ];
  for (const [picture, line] of pictures) {
    assert.equal(await PictureEncoder.of(picture, { models }).catch(lineOf), `TargetError: ${line}`);
  }
  const encoder = await PictureEncoder.of(SMALL, { models });
  for (const quality of [150, -1, NaN, "50", undefined]) {
    const told = `quality ${quality === "50" ? "'50'" : quality} is not a number from 0 to 100`;
    assert.equal(await encoder.encode(quality).catch(lineOf), `TargetError: ${told}`);
  }
  for (const tile of [0, 100, 64.5, -64, 65_536, "64"]) {
    const told = `a tile of ${tile === "64" ? "'64'" : tile} pixels a side; it must be a multiple of 64, or null for one tile`;
    assert.equal(await encoder.encode(50, { tile }).catch(lineOf), `TargetError: ${told}`);
  }
});

test("a file is bytes, however they come, and nothing else", async () => {
  const own = SAMPLE.slice();
  for (const bytes of [own, own.buffer, new DataView(own.buffer), Buffer.from(own)]) assert.equal(readHeader(bytes).width, 192);
  const line = (what) => `TargetError: a file is given as Uint8Array or ArrayBuffer, not as ${what}`;
  for (const [bytes, what] of [["photo.lcq", "String"], [undefined, "undefined"], [null, "null"], [NOTHING, "Object"], [new Blob([own]), "Blob"]]) {
    assert.equal(await decode(bytes).catch(lineOf), line(what));
  }
  for (const [value, what] of [[NaN, "NaN"], ["a\n b", "'a b'"], [NOTHING, "Object"], [Symbol("x"), "Symbol(x)"]]) {
    assert.equal(await decode(own, { maxPixels: value }).catch(lineOf), `TargetError: maxPixels ${what} is not an integer of 1 or more`);
  }
});

test("bytes and samples may be of another window", async () => {
  const bytes = runInNewContext("length => new Uint8Array(length)")(SAMPLE.length);
  bytes.set(SAMPLE);
  for (const each of [bytes, bytes.buffer]) assert.equal(readHeader(each).width, 192);
  served();
  const samples = runInNewContext("(length) => new Uint8Array(length).fill(99)")(SMALL.samples.length);
  const models = "http://window/models/";
  const [own, other] = await Promise.all([SMALL, { ...SMALL, samples }].map((picture) => PictureEncoder.of(picture, { models })));
  assert.deepEqual(await other.encode(50), await own.encode(50));
});

test("a signal is heard between the steps of a tile, and its parts, to read and to write", async () => {
  served();
  const models = "http://stopped/models/";
  const vq = new Uint8Array(readFileSync(`${ROOT}tests/shipped/vq.lcq`));
  const encoder = await PictureEncoder.of(SMALL, { models });
  const signalOf = (throwIfAborted) => Object.assign(new EventTarget(), { throwIfAborted });
  const works = {
    lattice: [(signal) => decode(SAMPLE, { models, signal }), 7], // before the tile, in 4 steps and one part, and after it
    vq: [(signal) => decode(vq, { models, signal }), 10],
    indices: [(signal) => decodeIndices(SAMPLE, { models, signal }), 5],
    encoder: [(signal) => encoder.encode(50, { signal }), 5],
  };
  for (const [what, [work, least]] of Object.entries(works)) {
    let checks = 0;
    await work(signalOf(() => checks++));
    assert.ok(checks >= least, `${what}: ${checks}`);
    for (const last of [2, checks]) {
      let left = last;
      const signal = signalOf(() => assert.notEqual(--left, 0, "stopped"));
      assert.equal((await work(signal).catch((error) => error)).message, "stopped", what);
    }
  }
});
