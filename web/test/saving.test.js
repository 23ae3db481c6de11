/** What the page finds in metadata, and the names and metadata of the files that it saves, against Python. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { codePoints } from "../cicp.js";
import { readExif } from "../page/exif.js";
import { metadataOf } from "../page/facts.js";
import { packedName, restoredName } from "../page/names.js";
import { toPng } from "../page/png.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PYTHON = process.env.PYTHON || `${ROOT}.venv/bin/python`;
const [BYTE, ASCII, SHORT, LONG, SIGNED] = [1, 2, 3, 4, 8]; // types of EXIF
const ORIENTATION = 274;
const DISPLAY_P3 = [12, 13, 0, 1];

/** What a program of Python prints as JSON, of a value that it finds in `given`. */
function inPython(program, value) {
  const lines = ["import json, sys", "given = json.load(sys.stdin)", ...program];
  return JSON.parse(execFileSync(PYTHON, ["-c", lines.join("\n")], { input: JSON.stringify(value), cwd: ROOT }));
}

/** A block of one directory of entries {tag, type, count, value}, little-endian unless it begins otherwise. */
function block(entries, { begins = "II*\0", at = 8, announced = entries.length } = {}) {
  const bytes = Buffer.alloc(at + 2 + 12 * entries.length);
  const little = begins.startsWith("II");
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  entries.forEach(({ tag = ORIENTATION, type = SHORT, count = 1, value }, i) => {
    const place = at + 2 + 12 * i;
    view.setUint16(place, tag, little);
    view.setUint16(place + 2, type, little);
    view.setUint32(place + 4, count, little);
    const setters = { [BYTE]: "setUint8", [SHORT]: "setUint16" };
    view[setters[type] ?? "setUint32"](place + 8, value, little);
  });
  view.setUint16(at, announced, little);
  view.setUint32(4, at, little);
  bytes.write(begins, "latin1");
  return bytes;
}

const BLOCKS = { // with the orientation that is to be found in each
  "a SHORT": [6, block([{ value: 6 }])],
  "a BYTE": [6, block([{ type: BYTE, value: 6 }])],
  "a LONG": [6, block([{ type: LONG, value: 6 }])],
  "a SHORT, big-endian": [8, block([{ value: 8 }], { begins: "MM\0*" })],
  "a BYTE, big-endian": [8, block([{ type: BYTE, value: 8 }], { begins: "MM\0*" })],
  "a LONG, big-endian": [8, block([{ type: LONG, value: 8 }], { begins: "MM\0*" })],
  "text": [1, block([{ type: ASCII, value: 6 }])],
  "a signed number": [1, block([{ type: SIGNED, value: 6 }])],
  "two numbers": [1, block([{ count: 2, value: 6 }])],
  "no number": [1, block([{ count: 0, value: 6 }])],
  "0": [1, block([{ value: 0 }])],
  "9": [1, block([{ value: 9 }])],
  "two of them": [6, block([{ value: 6 }, { value: 3 }])],
  "two of them, the first out of range": [1, block([{ value: 9 }, { value: 3 }])],
  "two of them, the first of two numbers": [3, block([{ count: 2, value: 6 }, { value: 3 }])],
  "another tag first": [6, block([{ tag: 256, value: 3 }, { value: 6 }])],
  "no signature behind II": [1, block([{ value: 6 }], { begins: "II+\0" })],
  "the signature of the other order": [1, block([{ value: 6 }], { begins: "II\0*" })],
  "the prefix of JPEG": [1, Buffer.concat([Buffer.from("Exif\0\0"), block([{ value: 6 }])])],
  "a directory further on": [6, block([{ value: 6 }], { at: 20 })],
  "a directory inside of the head": [1, block([{ value: 6 }], { at: 6 })],
  "a directory that is not whole": [1, block([{ value: 6 }], { announced: 2 })],
  "a directory past the end": [1, block([{ value: 6 }]).subarray(0, 9)],
  "a head alone": [1, block([]).subarray(0, 7)],
  "nothing": [1, Buffer.alloc(0)],
};

test("a picture is turned by the orientations that Python turns it by, and by no others", () => {
  for (const [what, [expected, bytes]] of Object.entries(BLOCKS)) {
    assert.equal(readExif(new Uint8Array(bytes)).orientation, expected, what);
  }
  const program = ["from latticecodec.picture.exif import orientation", "print(json.dumps([orientation(bytes.fromhex(each)) for each in given]))"];
  const blocks = Object.values(BLOCKS).map(([, bytes]) => bytes.toString("hex"));
  assert.deepEqual(inPython(program, blocks), Object.values(BLOCKS).map(([expected]) => expected));
});

test("what is said beside the orientation is found under the same conditions", () => {
  const make = { tag: 0x010f, type: ASCII, count: 4, value: 0x434241 }; // ABC
  const place = { tag: 0x8825, type: LONG, value: 0 };
  const nothing = { orientation: 1, place: false };
  assert.deepEqual(readExif(new Uint8Array(block([make, place]))), { orientation: 1, place: true, make: "ABC" });
  assert.deepEqual(readExif(new Uint8Array(block([make, place], { begins: "II+\0" }))), nothing);
  assert.deepEqual(readExif(null), nothing);
});

test("a place in XMP is told of, as --strip gps takes it out", () => {
  const place = (text) => {
    const xmp = text === null ? null : new Uint8Array(Buffer.from(text, "latin1"));
    return Object.fromEntries(metadataOf({ icc: null, exif: null, xmp })).Place;
  };
  assert.equal(place('<x exif:GPSLatitude="1,2N"/>'), "is in it");
  assert.equal(place("<drone:GpsLongitude>3</drone:GpsLongitude>"), "is in it");
  assert.equal(place("\0G\0P\0S\0L"), "is in it");
  assert.equal(place('<x xmlns:gpsd="y"/>'), undefined);
  assert.equal(place("<x>a map of GPS</x>"), undefined);
  assert.equal(place(null), undefined);
});

test("files are named as the commands name them", () => {
  const names = ["photo.lcq", "photo.LCQ", "photo.png.lcq", "photo.PNG.lcq", "photo.jpg.lcq", "photo", "a.b.jpg", ".png.lcq", ".lcq", ".hidden", "photo.bin"];
  const program = [
    "from pathlib import Path",
    "from cli.compress import _packed_name",
    "from cli.decompress import _restored_name",
    "print(json.dumps([[_restored_name(Path(each), False).name, _packed_name(Path(each)).name] for each in given]))",
  ];
  const own = names.map((name) => [restoredName(name), packedName(name)]);
  assert.deepEqual(own, inPython(program, names));
  assert.deepEqual([restoredName("photo.png.lcq"), restoredName("photo.jpg.lcq")], ["photo.png", "photo.jpg.png"]);
  assert.deepEqual([packedName("photo.jpg"), packedName(".hidden")], ["photo.lcq", ".hidden.lcq"]);
});

test("the PNG has the code points, with 8 and with 16 bits and beside a profile", async () => {
  const picture = { width: 2, height: 1, channels: 3, depth: 8, samples: Uint8Array.of(1, 2, 3, 4, 5, 6) };
  const deep = { ...picture, depth: 16, samples: Uint16Array.of(1, 2, 3, 4, 5, 65_535) };
  const cicp = codePoints(DISPLAY_P3);
  const icc = Uint8Array.of(1, 2, 3);
  const pngs = [[picture, { cicp }], [deep, { cicp }], [picture, { cicp, icc }], [picture, {}]];
  const hex = [];
  for (const each of pngs) hex.push(Buffer.from(await (await toPng(...each)).arrayBuffer()).toString("hex"));
  const program = [
    "import io",
    "from latticecodec.picture import read",
    "pixels = [read(bytes.fromhex(each)) for each in given]",
    "print(json.dumps([[each.cicp, each.colour.ravel().tolist(), (each.icc or b'').hex()] for each in pixels]))",
  ];
  assert.deepEqual(inPython(program, hex), [
    [DISPLAY_P3, [...picture.samples], ""],
    [DISPLAY_P3, [...deep.samples], ""],
    [DISPLAY_P3, [...picture.samples], "010203"],
    [null, [...picture.samples], ""],
  ]);
});
