/** What the page writes, against FORMAT.md and files that Python wrote. */

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import { Reader } from "../container.js";
import { writeFile } from "../containerwriter.js";
import { RangeDecoder } from "../rangecoder.js";
import { RangeEncoder } from "../rangeencoder.js";
import { StreamReader, Tables } from "../stream.js";
import { StreamWriter } from "../streamwriter.js";

const CONFORMANCE = new URL("../../tests/conformance/files/", import.meta.url);
const TOTAL = 2 ** 24;

/** Section 8.1 as it stands there, with integers without bound: bytes of symbols {left, frequency}. */
function defined(symbols) {
  let [low, range, words] = [0n, 2n ** 64n - 1n, 0];
  for (const { left, frequency } of symbols) {
    const unit = range >> 24n;
    low += unit * BigInt(left);
    range = unit * BigInt(frequency);
    if (range < 2n ** 32n) [low, range, words] = [low << 32n, range << 32n, words + 1];
  }
  const point = (low + 2n ** 32n - 1n) >> 32n;
  const bytes = [];
  for (let word = words; word >= 0; word--) {
    for (let byte = 0; byte < 4; byte++) bytes.push(Number((point >> BigInt(32 * word + 8 * byte)) & 255n));
  }
  while (bytes.at(-1) === 0) bytes.pop();
  return bytes;
}

/** Numbers that look random, 0 to 1, the same each time. */
function* numbers(seed) {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}

test("symbols become the bytes that the format defines", () => {
  for (let seed = 1; seed <= 16; seed++) {
    const random = numbers(seed);
    const next = () => random.next().value;
    const symbols = Array.from({ length: 120 }, () => {
      const frequency = Math.max(1, Math.floor(TOTAL * next() ** (seed / 4))); // from even ones to those of 24 bits
      return { left: seed % 2 ? TOTAL - frequency : Math.floor((TOTAL - frequency) * next()), frequency };
    });
    const encoder = new RangeEncoder();
    for (const { left, frequency } of symbols) encoder.symbol(left, frequency);
    assert.deepEqual([...encoder.finish()], defined(symbols), `seed ${seed}`);
  }
});

test("a carry goes through words that are written", () => {
  let [low, range, middle] = [0n, 2n ** 64n - 1n, 2n ** 63n];
  const symbols = [];
  while (symbols.length < 12) { // each with an interval that has the middle inside: words 7fffffff, ffffffff, ...
    const unit = range >> 24n;
    const last = symbols.length === 11;
    const left = (middle - low) / unit + (last ? 1n : 0n); // the last one lies above it
    symbols.push({ left: Number(left), frequency: 1 });
    [low, range] = [low + unit * left, unit];
    if (range < 2n ** 32n) [low, range, middle] = [low << 32n, range << 32n, middle << 32n];
  }
  const encoder = new RangeEncoder();
  for (const { left, frequency } of symbols) encoder.symbol(left, frequency);
  const bytes = [...encoder.finish()];
  assert.deepEqual(bytes, defined(symbols));
  assert.deepEqual(bytes.slice(0, 12), [0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0]);
});

test("nothing coded is no byte", () => {
  assert.equal(new RangeEncoder().finish().length, 0);
});

test("numbers of even frequency come back", () => {
  const counts = [2, 24, 3, 2 ** 23, 1000];
  const encoder = new RangeEncoder();
  for (const count of counts) for (const value of [0, count >> 1, count - 1]) encoder.uniform(value, count);
  const decoder = new RangeDecoder(encoder.finish());
  for (const count of counts) {
    assert.deepEqual([0, 1, 2].map(() => decoder.uniform(count)), [0, count >> 1, count - 1]);
  }
});

test("groups with escapes come back", () => {
  const frequencies = [TOTAL - 3, 1, 1, 1, 1, 1, TOTAL - 5, 1, 1, 1];
  const tables = new Tables(Int32Array.from(frequencies), Int32Array.of(0, 4, 10));
  const groups = [
    [[0, 9, -1, 70_000, -2, 2], [0, 1, 0, 1, 0, 1]],
    [[2 ** 24, -(2 ** 24), 3, 0], [0, 0, 1, 1]],
  ].map((group) => group.map((values) => Int32Array.from(values)));
  const writer = new StreamWriter(tables);
  for (const [residuals, ids] of groups) writer.group(residuals, ids);
  const reader = new StreamReader(writer.finish(), tables);
  for (const [residuals, ids] of groups) assert.deepEqual(reader.group(ids), residuals);
});

test("the payload of section 11 is written", () => {
  const tables = new Tables(Int32Array.of(4_194_304, 8_388_608, 4_194_303, 1), Int32Array.of(0, 4));
  const writer = new StreamWriter(tables);
  writer.group(Int32Array.of(0, 1, -1, 0, 5, 0, -1), new Int32Array(7));
  const format = readFileSync(new URL("../../FORMAT.md", import.meta.url), "utf8");
  const [, payload] = /^\| 59 \| `([0-9a-f ]+)` \| payload \|/m.exec(format);
  assert.deepEqual([...writer.finish()], payload.split(" ").map((digits) => parseInt(digits, 16)));
});

test("files of Python's are written back byte for byte", () => {
  let [plain, tiled] = [0, 0];
  for (const name of readdirSync(CONFORMANCE).filter((each) => each.endsWith(".lcq"))) {
    const bytes = new Uint8Array(readFileSync(new URL(name, CONFORMANCE)));
    const reader = new Reader(bytes);
    const { header } = reader;
    const end = new DataView(bytes.buffer).getUint32(10, true);
    const records = end - 32 - 12 * header.tiles;
    if (header.alpha || records !== (header.tile === null ? 0 : 7) || bytes[9] > 1) continue;
    const tiles = Array.from({ length: header.tiles }, (_, number) => reader.tile(number));
    assert.deepEqual(writeFile(header, tiles), bytes, name);
    if (header.tile === null) plain++;
    else tiled++;
  }
  assert.ok(plain > 20 && tiled > 3);
});
