/** Models, fetched when they are needed, and their networks on onnxruntime-web. */

import { drop, keep, keptIn, keptOf } from "./cache.js";
import { ModelError } from "./errors.js";
import * as ort from "./runtime/ort.wasm.min.mjs";
import { readTensors } from "./safetensors.js";

const THREADS_MAX = 8;
const DIGEST = /^[0-9a-f]{16}$/; // of a model
const FILE = /^[0-9a-f]{16}\.(onnx|safetensors)$/; // as web/export.py names files by what is in them
const NO_RUNTIME = /^no available backend found/; // how onnxruntime-web begins to say that it did not start

ort.env.wasm.wasmPaths = new URL("./runtime/", import.meta.url).href;
ort.env.wasm.numThreads = globalThis.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency, THREADS_MAX) : 1;

const models = new Map(); // promises, by address
let failed = false; // whether the runtime could not start: what could not once does not, in this page or worker

/** Whether nothing is computed here any more, since the runtime could not start; in another page, or worker, it may. */
export function runtimeFailed() {
  return failed;
}

/**
 * A model by its digest, 16 hexadecimal digits, in `base`, the address of a folder that web/export.py wrote.
 *
 * Throws ModelError where there is none, or it cannot be fetched.
 */
export async function loadModel(digest, base) {
  const address = addressOf(`${digest}.json`, base);
  if (!models.has(address)) {
    models.set(address, fetched(digest, address, base));
    models.get(address).catch(() => models.delete(address)); // the next call tries again
  }
  return models.get(address);
}

/** The models of a folder, [{name, digest, quantizer}]; base: see `loadModel`. Throws ModelError. */
export async function listModels(base) {
  const address = addressOf("models.json", base);
  let listed;
  try {
    listed = await described(address, checkList);
  } catch (error) {
    if (error instanceof ModelError) throw error;
    const way = error instanceof TypeError ? "try again when there is a connection" : "web/export.py writes such a folder";
    throw new ModelError(`${address}: the list of models cannot be had (${error.message}); ${way}`);
  }
  await tidy(address, listed);
  return listed;
}

/** Throws ModelError where what was found at an address is no list of models. */
function checkList(found, address) {
  if (Array.isArray(found) && found.every((model) => DIGEST.test(model?.digest))) return;
  throw new ModelError(`${address}: is no list of models; web/export.py writes one`);
}

/** Throws ModelError where what was found at an address does not describe a model. */
function checkDescription(found, address) {
  if (!isDescription(found)) throw new ModelError(`${address}: does not describe a model; web/export.py writes what does`);
}

function isDescription(found) {
  const files = Object.values(found?.files ?? {});
  return Boolean(found?.config && files.length) && files.every((each) => FILE.test(each?.file) && each.integrity);
}

/** Drop what the browser keeps beside a list of models and none of them has, and descriptions that are none. */
async function tidy(address, listed) {
  const there = await keptIn(new URL(".", address).href); // what comes from now on stays
  const wanted = new Set([address]);
  for (const { digest } of listed) {
    const description = new URL(`${digest}.json`, address).href;
    const kept = await keptOf(description);
    const found = await kept?.json().catch(() => null);
    if (!isDescription(found)) continue; // none of its files stays, but for those of others
    wanted.add(description);
    for (const { file } of Object.values(found.files)) wanted.add(new URL(file, address).href);
  }
  await drop(there.filter((each) => !wanted.has(each)));
}

/** The address of a file in the folder of another, which may be relative to the page's; throws ModelError where that is none. */
function addressOf(name, base) {
  try {
    const folder = new URL(base, globalThis.location?.href);
    if (!folder.pathname.endsWith("/")) folder.pathname += "/";
    return new URL(name, folder).href;
  } catch {
    throw new ModelError(`models ${base}: is no address of a folder`);
  }
}

/**
 * A model.
 *
 * config: as in config.json. tensors: by name, {data: typed array, dims}, those of the prior and of the quantizer.
 */
export class Model {
  #files; // {network: {file, integrity}}
  #base;
  #sessions = new Map();

  constructor(config, files, base) {
    this.config = config;
    this.#files = files;
    this.#base = base;
    [this.product, this.context] = [this.product.bind(this), this.context.bind(this)];
  }

  /** Have the tensors. */
  async load() {
    this.prepare("product"); // the runtime starts while files are fetched
    this.tensors = await this.#made("tensors", readTensors);
    return this;
  }

  /** How many latent positions, at most, lie between a pixel and the farthest value that it depends on. */
  get reach() {
    const [at16, at8] = this.config.synthesis_blocks;
    return at16 + Math.ceil(at8 / 2);
  }

  /**
   * What a network makes of its inputs: outputs {data: Float32Array, dims}, as each of the inputs is.
   *
   * "synthesis" takes {y_hat [1, M, h, w], t [1, 1, 1, 1]} and gives [1, 3, 16h, 16w], "analysis" takes
   * {x [1, 3, 16h, 16w]} and gives [1, M, h, w], "hyper_analysis" takes {u [1, M, 4h, 4w]} and gives [1, Z, h, w].
   * Others have methods of their own.
   */
  async run(name, inputs) {
    const session = await this.prepare(name);
    const feeds = Object.entries(inputs).map(([key, { data, dims }]) => [key, new ort.Tensor("float32", data, dims)]);
    const outputs = await session.run(Object.fromEntries(feeds)).catch((cause) => {
      const told = `model ${this.config.name}: ${name} cannot be computed`;
      throw new ModelError(`${told}, perhaps for want of memory; close other pages, and try again`, { cause });
    });
    return session.outputNames.map((output) => outputs[output]);
  }

  /** Have a network ready before it is run. */
  prepare(name) {
    if (!this.#sessions.has(name)) {
      const session = this.#made(name, sessionOf);
      this.#sessions.set(name, session);
      session.catch(() => this.#sessions.delete(name)); // the next call tries again
    }
    return this.#sessions.get(name);
  }

  /** The matrix product of a [rows, K] and b [K, N], Float32Arrays: [rows, N]. */
  async product(a, b, rows) {
    const inner = a.length / rows;
    const columns = b.length / inner;
    if (columns === 0) return new Float32Array();
    const [out] = await this.run("product", { a: { data: a, dims: [rows, inner] }, b: { data: b, dims: [inner, columns] } });
    return out.data;
  }

  /**
   * What leaves the context network of a lattice at each of the four positions of 2x2 cells: [M / 2, n] each.
   *
   * inputs: [M + F, height width], of 2 or more each way. enter, leave: layers {weight [out, in], bias [out]} of the
   * step, the latter of each position.
   */
  async context(inputs, enter, leave, height, width) {
    const feeds = { inputs: { data: inputs, dims: [1, inputs.length / (height * width), height, width] } };
    const layers = { enter, ...Object.fromEntries(leave.map((layer, place) => [`leave${place}`, layer])) };
    for (const [name, { weight, bias }] of Object.entries(layers)) {
      feeds[name] = { data: weight, dims: [bias.length, weight.length / bias.length, 1, 1] };
      feeds[`${name}.bias`] = { data: bias, dims: [bias.length] };
    }
    return (await this.run("context", feeds)).map(({ data }) => data);
  }

  /** What `make` gives for the bytes of one of the model's files. */
  async #made(name, make) {
    const { file, integrity } = this.#files[name] ?? {};
    const about = `model ${this.config.name}: ${file ?? name}`;
    if (!file) throw new ModelError(`${about} is not among its files; export it again with web/export.py`);
    const bytes = await kept(new URL(file, this.#base).href, integrity).catch((cause) => {
      throw new ModelError(`${about} cannot be fetched (${cause.message}); try again`);
    });
    try {
      return await make(bytes);
    } catch (cause) {
      if (cause instanceof ModelError) throw cause;
      throw new ModelError(`${about} is damaged, or takes more memory than there is; close other pages, and try again`, { cause });
    }
  }
}

/** The session of a network's file; throws ModelError where the runtime, parts of which are fetched now, does not start. */
async function sessionOf(bytes) {
  try {
    return await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
  } catch (cause) {
    if (!NO_RUNTIME.test(cause?.message)) throw cause;
    failed = true;
    throw new ModelError("what computes the model cannot be fetched or started; try again when there is a connection", { cause });
  }
}

async function fetched(digest, address, base) {
  const listed = await listModels(base);
  try {
    if (listed.some((model) => model.digest === digest)) {
      const { config, files } = await described(address, checkDescription);
      return await new Model(config, files, address).load();
    }
  } catch (error) {
    if (error instanceof ModelError) throw error;
    throw new ModelError(`model ${digest} cannot be fetched (${error.message}); try again when there is a connection`);
  }
  const told = `the file was written with model ${digest}, which is not installed`;
  throw new ModelError(`${told}: a page with that model, or a newer latticecodec, opens it`);
}

/** JSON that passes a check, which throws: as the server has it now, or as it was kept where there is no connection. */
async function described(address, check) {
  const response = await fetch(address, { cache: "no-cache" }).catch(async (error) => {
    const old = await keptOf(address);
    if (!old) throw error;
    return old;
  });
  if (!response.ok) throw new Error(`status ${response.status}`);
  const text = await response.text();
  const found = JSON.parse(text);
  check(found, address);
  await keep(address, new Response(text));
  return found;
}

/** The bytes of a file whose name says what is in it: fetched once and kept by the browser, and again where that damaged them. */
async function kept(address, integrity) {
  const old = await (await keptOf(address))?.arrayBuffer().catch(() => null);
  if (old && (await integrityOf(old)) === integrity) return new Uint8Array(old);
  const response = await fetch(address, { integrity });
  if (!response.ok) throw new Error(`status ${response.status}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  keep(address, new Response(bytes)); // nobody waits for that
  return bytes;
}

/** What tells whether bytes, an ArrayBuffer, are those of a file; a browser that fetches it compares the same. */
async function integrityOf(bytes) {
  const digest = await crypto.subtle.digest("SHA-256", bytes); // there where a browser keeps anything
  return `sha256-${btoa(String.fromCharCode(...new Uint8Array(digest)))}`;
}
