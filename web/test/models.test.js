/** Models as programs that use the modules count on them: what a browser keeps of a folder, what is fetched again, what is damaged. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { PictureEncoder } from "../dist/encode.js";
import { decode } from "../dist/lcq.js";
import { Model, listModels, loadModel, runtimeFailed } from "../dist/networks.js";
import { lineOf, served, stored } from "./standin.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SAMPLE = new Uint8Array(readFileSync(`${ROOT}tests/shipped/lattice.lcq`));
const DIGEST = "03519984a4456155"; // of the model that wrote it
const DESCRIPTION = readFileSync(`${ROOT}web/dist/models/${DIGEST}.json`, "utf8");
const { files: FILES } = JSON.parse(DESCRIPTION);
const UNCHECKED = '{"config": {}, "files": {"product": {"file": "0123456789abcdef.onnx"}}}'; // nothing says what is in it
const SMALL = { width: 16, height: 16, samples: new Uint8Array(3 * 16 * 16).fill(99) };

test("a file of a model that is damaged is one line of that file, and leaves the runtime as it is", async () => {
  for (const name of ["product", "tensors", "synthesis"]) { // before anything was computed here
    const { file } = FILES[name];
    const models = `http://damaged-${name}/models/`;
    served({ [`/models/${file}`]: "no network" }); // Node does not compare what it fetches
    const line = `ModelError: model lattice: ${file} is damaged, or takes more memory than there is; close other pages, and try again`;
    assert.equal(await decode(SAMPLE, { models }).catch(lineOf), line);
    assert.equal(runtimeFailed(), false, name);
    served();
    assert.equal((await decode(SAMPLE, { models })).width, 192, name);
  }
  const description = JSON.stringify({ ...JSON.parse(DESCRIPTION), files: { ...FILES, synthesis: undefined } });
  served({ [`/models/${DIGEST}.json`]: description });
  const line = "ModelError: model lattice: synthesis is not among its files; export it again with web/export.py";
  assert.equal(await decode(SAMPLE, { models: "http://old/models/" }).catch(lineOf), line);
});

test("models that are not listed any more are not kept, and what others have of them is", async () => {
  const kept = stored();
  const below = (name) => `http://newer/models/${name}`;
  const lattice = below("03519984a4456155.json");
  const description = readFileSync(`${ROOT}web/dist/models/03519984a4456155.json`, "utf8");
  const shared = below(JSON.parse(description).files.product.file);
  const others = ["http://newer/others/0123456789abcdef.onnx", below("mine/0123456789abcdef.onnx")]; // of other folders
  for (const address of [below("0123456789abcdef.json"), below("0123456789abcdef.onnx"), shared, ...others]) {
    kept.set(address, new Response("x"));
  }
  kept.set(lattice, new Response(description));
  served();
  await listModels(below(""));
  assert.deepEqual([...kept.keys()].sort(), [lattice, shared, ...others, below("models.json")].sort());
});

test("where there is no connection the list of models that was kept is taken", async () => {
  stored();
  served();
  const bytes = await (await PictureEncoder.of(SMALL, { models: "http://kept/models/" })).encode(50);
  globalThis.fetch = () => Promise.reject(new TypeError("Failed to fetch"));
  const encoder = await PictureEncoder.of(SMALL, { models: "http://kept/models/" });
  assert.deepEqual(await encoder.encode(50), bytes);
});

test("what the browser damaged of a model that it keeps is fetched again, and nothing else", async () => {
  const kept = stored();
  const models = "http://kept-badly/models/";
  for (const { file } of Object.values(FILES)) kept.set(models + file, new Response(readFileSync(`${ROOT}web/dist/models/${file}`)));
  const damaged = [FILES.tensors.file, FILES.synthesis.file];
  for (const file of damaged) kept.set(models + file, new Response("no network"));
  kept.set(`${models}${DIGEST}.json`, new Response(DESCRIPTION)); // else its files are not kept for it
  const asked = served();
  assert.equal((await decode(SAMPLE, { models })).width, 192);
  assert.deepEqual(asked.slice(2).sort(), damaged.map((file) => models + file).sort());
});

test("what is no list of models, and what describes none, is not kept", async () => {
  const kept = stored();
  const below = (name) => `http://sound/models/${name}`;
  served();
  const listed = await listModels(below(""));
  const description = below(`${DIGEST}.json`);
  kept.set(description, new Response(DESCRIPTION));
  for (const body of ["{}", "[null]", '[{"name": "lattice"}]', '[{"name": "lattice", "digest": "http://["}]']) {
    served({ "/models/models.json": body });
    const line = `ModelError: ${below("models.json")}: is no list of models; web/export.py writes one`;
    assert.equal(await listModels(below("")).catch(lineOf), line);
  }
  for (const body of ["{}", "null", '{"config": {}, "files": {}}', '{"config": {}, "files": {"product": {"file": "http://[", "integrity": "x"}}}', UNCHECKED]) {
    served({ [`/models/${DIGEST}.json`]: body });
    const line = `ModelError: ${description}: does not describe a model; web/export.py writes what does`;
    assert.equal(await decode(SAMPLE, { models: below("") }).catch(lineOf), line);
  }
  globalThis.fetch = () => Promise.reject(new TypeError("Failed to fetch"));
  assert.deepEqual(await listModels(below("")), listed);
  assert.equal(await kept.get(description).text(), DESCRIPTION);
});

test("a description that was kept and is none stops no model of its folder", async () => {
  const kept = stored();
  const models = "http://spoilt/models/";
  const [own, other] = [DIGEST, "1f03c634eeb420e5"].map((digest) => `${models}${digest}.json`);
  for (const body of ['{"config": {}}', "null", "<!doctype html>", '{"config": {}, "files": {"product": null}}']) {
    for (const address of [own, other]) kept.set(address, new Response(body));
    served();
    await listModels(models);
    assert.deepEqual([kept.has(own), kept.has(other)], [false, false], body);
  }
  for (const address of [own, other]) kept.set(address, new Response("{}"));
  assert.equal((await decode(SAMPLE, { models })).width, 192);
  assert.equal(await kept.get(own).text(), DESCRIPTION);
});

test("a network that cannot be computed is one line, and nothing else fails by it", async () => {
  served();
  const models = "http://uncomputed/models/";
  const model = await loadModel(DIGEST, models);
  const of = (rows, columns) => ({ data: new Float32Array(rows * columns), dims: [rows, columns] });
  const line = "ModelError: model lattice: product cannot be computed, perhaps for want of memory; close other pages, and try again";
  assert.equal(await model.run("product", { a: of(1, 2), b: of(3, 1) }).catch(lineOf), line);
  assert.equal((await decode(SAMPLE, { models })).width, 192);
});

test("a signal that has said so stops a decoder and an encoder before anything is fetched", async () => {
  const asked = served();
  const options = { models: "http://never/models/", signal: AbortSignal.abort() };
  const names = await Promise.all([decode(SAMPLE, options), PictureEncoder.of(SMALL, options)].map((work) => work.catch(({ name }) => name)));
  assert.deepEqual([names, asked], [["AbortError", "AbortError"], []]);
});

test("a signal is heard while a file is fetched, which goes on for others that wait for it", async () => {
  for (const file of ["models.json", `${DIGEST}.json`, FILES.tensors.file, FILES.product.file, FILES.synthesis.file]) {
    let arrive;
    const asked = served({ [`/models/${file}`]: new Promise((resolve) => (arrive = resolve)) });
    const models = `http://waiting-${file.slice(0, 6)}/models/`;
    const controller = new AbortController();
    const stopped = decode(SAMPLE, { models, signal: controller.signal }).catch(({ name }) => name);
    const other = decode(SAMPLE, { models });
    while (!asked.includes(models + file)) await new Promise((resolve) => setTimeout(resolve));
    controller.abort();
    assert.equal(await stopped, "AbortError", file);
    arrive(readFileSync(`${ROOT}web/dist/models/${file}`));
    assert.equal((await other).width, 192, file);
    assert.equal(asked.filter((address) => address === models + FILES.synthesis.file).length, 1);
  }
});

test("the address of a folder of models ends with / or not", async () => {
  const asked = served();
  assert.equal((await decode(SAMPLE, { models: "http://slash/models?key=1" })).width, 192);
  await listModels("http://slash/models");
  assert.deepEqual(asked.filter((address) => !address.startsWith("http://slash/models/")), []);
});

test("networks that give no numbers write no file", async (context) => {
  served();
  const models = "http://odd/models/";
  const run = Model.prototype.run;
  for (const network of ["analysis", "hyper_analysis"]) {
    context.mock.method(Model.prototype, "run", async function (name, inputs) {
      const [out] = await run.call(this, name, inputs);
      if (name === network) out.data[7] = NaN;
      return [out];
    });
    const encoder = await PictureEncoder.of(SMALL, { models });
    const line = "ModelError: model lattice-2: its networks give values that are not numbers; take another model";
    assert.equal(await encoder.encode(50).catch(lineOf), line, network);
    context.mock.restoreAll();
  }
});
