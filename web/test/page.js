/** One page in Chromium for all tests of a file, what is done with it, and what comes of it. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { after, afterEach, before } from "node:test";
import { fileURLToPath } from "node:url";

import { launch, open } from "./browser.js";
import { serve } from "./server.js";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const CASES = `${ROOT}web/build/cases/`; // of tests/web/prepare.py
export const SCREENS = `${ROOT}web/build/screens/`;
export const SAMPLE = readFileSync(`${ROOT}tests/shipped/lattice.lcq`); // 192 x 176 pixels
export const LANDSCAPE = `${ROOT}samples/landscape.png`;
export const PATIENCE = 120_000; // milliseconds
const PYTHON = process.env.PYTHON || `${ROOT}.venv/bin/python`;

export let browser, page;
let complaints, server;

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
  await server?.close();
});

afterEach(() => assert.deepEqual(complaints.splice(0), [], "errors in the console, or requests to others"));

/** Choose files, {name, mimeType, buffer}, in a view. */
export async function choose(view, ...files) {
  await page.click(`#${view}-tab`);
  await page.locator(`#${view} [data-files]`).first().setInputFiles(files);
}

/** Open a file's bytes under a name, and wait for its picture. */
export async function opened(name, bytes) {
  await choose("open", { name, mimeType: "", buffer: Buffer.from(bytes) });
  await page.waitForFunction((name) => {
    const view = document.querySelector("#open");
    const done = view.querySelector("[data-name]").textContent === name && !view.querySelector("[data-download]").disabled;
    return done || view.querySelector("[data-told]").textContent;
  }, name);
  assert.equal(await told("open"), "");
}

/** The line that a view says. */
export async function told(view) {
  return page.textContent(`#${view} [data-told]`);
}

/** What a list of facts says, by term. */
export async function facts(selector) {
  return page.$eval(selector, (list) => {
    const texts = (tag) => [...list.querySelectorAll(tag)].map((each) => each.textContent);
    const values = texts("dd");
    return Object.fromEntries(texts("dt").map((term, i) => [term, values[i]]));
  });
}

/** The bytes that a button has the browser save, and their name. */
export async function saved(button) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.click(button)]);
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}

/** A row of what tests/web/prepare.py wrote: its file, and its samples as Python decodes them. */
export function caseOf(name) {
  return JSON.parse(readFileSync(`${CASES}cases.json`)).find((row) => row.name === name);
}

/** The largest difference between two pictures' samples, after the browser decoded both. */
export async function difference(a, b) {
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

/** What a Python program with arguments writes, given bytes on its standard input. */
export function python(program, words = [], input = "") {
  return execFileSync(PYTHON, ["-c", program, ...words], { input, cwd: ROOT, maxBuffer: 2 ** 24 });
}
