/** What is read of headers, against what Python found in the files of tests/conformance, and FORMAT.md, section 2.2. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { SRGB, codePoints } from "../cicp.js";
import { Reader } from "../container.js";
import { readExtensions } from "../extensions.js";
import { factsOf } from "../page/facts.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const CONFORMANCE = `${ROOT}tests/conformance/`;
const PYTHON = process.env.PYTHON || `${ROOT}.venv/bin/python`;
const { files: FILES } = JSON.parse(readFileSync(`${CONFORMANCE}manifest.json`, "utf8"));

/** The header of a conformance file. */
function headerOf(file) {
  return new Reader(new Uint8Array(readFileSync(CONFORMANCE + file))).header;
}

/** The code points that a reader finds in bodies of records of type 132, one after the other: an array, or null. */
function found(...bodies) {
  const records = bodies.flatMap((body) => [132, body.length, 0, 0, 0, ...body]);
  const { cicp } = readExtensions(Uint8Array.from(records), [1, 2]);
  return cicp && [...cicp.bytes];
}

/** Rows of facts, by term. */
function shown(header) {
  return Object.fromEntries(factsOf(header, 1000, new Map()));
}

test("every field of every header is what Python says", () => {
  let withCodePoints = 0;
  for (const { file, header: expected, metadata_sha256: metadata } of FILES) {
    const header = headerOf(file);
    const { bit_depth: depth, cicp = null, ...others } = expected;
    const own = Object.fromEntries(Object.keys(others).map((fact) => [fact, header[fact]]));
    assert.deepEqual([own, header.depth], [others, depth], file);
    assert.deepEqual(header.cicp && [...header.cicp.bytes], cicp, file);
    const parts = ["icc", "exif", "xmp"].filter((part) => header[part] !== null);
    const digests = parts.map((part) => [part, createHash("sha256").update(header[part]).digest("hex")]);
    assert.deepEqual(Object.fromEntries(digests), metadata, file);
    if (cicp) withCodePoints++;
  }
  assert.ok(withCodePoints >= 4);
});

test("code points that are none are passed over, with those before them; of several the last count", () => {
  assert.deepEqual(found([12, 13, 0, 1]), [12, 13, 0, 1]);
  assert.deepEqual(found([9, 18, 0, 0]), [9, 18, 0, 0]);
  assert.deepEqual(found([2, 13, 0, 1]), [2, 13, 0, 1]);
  assert.deepEqual(found([12, 13, 0, 1], [9, 16, 0, 1]), [9, 16, 0, 1]);
  assert.equal(found([12, 13, 0, 1], [2, 2, 0, 1]), null); // unspecified
  assert.equal(found([12, 13, 0, 1], [12, 13, 9, 1]), null); // no RGB
  assert.equal(found([12, 13, 0, 2]), null); // no range
  for (const body of [[], [12, 13, 0], [12, 13, 0, 1, 0]]) assert.equal(found([9, 16, 0, 1], body), null);
});

test("a body of code points that runs past the header is an error", () => {
  const told = { name: "FormatError", message: "extension 132 of 5 bytes runs past the header: damaged" };
  assert.throws(() => readExtensions(Uint8Array.of(132, 5, 0, 0, 0, 12, 13, 0, 1), [1, 2]), told);
});

test("code points are named in the words of lcodec info", () => {
  const program = [
    "import json",
    "from latticecodec.container import code_points",
    "bodies = [[each, 13, 0, 1] for each in range(256)] + [[1, each, 0, 0] for each in range(256)]",
    "found = [code_points(bytes(body)) for body in bodies]",
    "print(json.dumps([[body, each and each.name] for body, each in zip(bodies, found)]))",
  ].join("\n");
  const rows = JSON.parse(execFileSync(PYTHON, ["-c", program], { cwd: ROOT }));
  assert.equal(rows.length, 512);
  for (const [body, name] of rows) assert.equal(codePoints(body)?.name, name, body.join("/"));
  assert.equal(SRGB.name, "sRGB");
  assert.equal(codePoints([9, 16, 0, 1]).name, "BT.2020 primaries, PQ transfer");
});

test("facts say what colours mean: by the profile, by code points, or sRGB", () => {
  const { Colours, CICP } = shown(headerOf("files/cicp.lcq"));
  assert.deepEqual([Colours, CICP], ["Display P3 primaries, sRGB transfer", "12/13/0/1"]);
  const narrow = shown(headerOf("files/cicp-narrow.lcq"));
  assert.deepEqual([narrow.Colours, narrow.CICP], ["BT.2020 primaries, HLG transfer, narrow range", "9/18/0/0"]);
  const both = shown(headerOf("files/cicp-and-icc.lcq"));
  assert.deepEqual([both.Colours, both.CICP], ["as the ICC profile says", "12/13/0/1"]);
  const none = shown(headerOf("files/lattice-middle.lcq"));
  assert.deepEqual([none.Colours, none.CICP], ["sRGB", undefined]);
});

test("facts say where colours are stored: a mask of no square stores none", () => {
  const files = ["exact-none", "exact-squares", "exact-all", "lattice-middle"];
  const told = files.map((name) => shown(headerOf(`files/${name}.lcq`))["Stored colours"]);
  assert.deepEqual(told, [undefined, "in parts", "everywhere", undefined]);
});
