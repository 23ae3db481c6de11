/** Every file that tests/web/prepare.py wrote decodes in Chromium to what Python makes of it, or gives its error. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { launch, open } from "./browser.js";
import { serve } from "./server.js";

const WEB = fileURLToPath(new URL("..", import.meta.url));
const CASES = JSON.parse(readFileSync(`${WEB}build/cases/cases.json`, "utf8"));

const TOGETHER = 20; // files that the page is given at a time

let browser, page, complaints, server;

before(async () => {
  server = await serve(WEB);
  browser = await launch();
  ({ page, complaints } = await open(browser, server.origin));
});

after(async () => {
  await browser?.close();
  await server?.close();
});

for (const group of new Set(CASES.map((row) => row.group))) {
  test(`${group} files`, { timeout: 3_600_000 }, async () => {
    const wrong = [];
    const rows = CASES.filter((row) => row.group === group);
    for (let start = 0; start < rows.length; start += TOGETHER) {
      const some = rows.slice(start, start + TOGETHER);
      const found = await page.evaluate(readAll, [some, group === "shipped" ? "dist" : "build"]);
      for (const [i, row] of some.entries()) {
        const told = complaint(row, found[i]);
        if (told) wrong.push(`${row.name} (${row.file}): ${told}`);
      }
    }
    assert.deepEqual(wrong, []);
    assert.deepEqual(complaints, []);
  });
}

/** In the page: what comes of each file, see `reading.js`. */
async function readAll([rows, models]) {
  const { read } = await import("/test/reading.js");
  const found = [];
  for (const row of rows) found.push(await read(row, "/build/cases/", `${location.origin}/${models}/models/`));
  return found;
}

/** What is wrong with what came of a file; null where nothing is. */
function complaint(row, found) {
  if (row.error) {
    if (!found.error) return `a picture, where Python says ${row.error}: ${row.message}`;
    const same = found.error === row.error && words(found.message) === words(row.message);
    if (same || [found, row].some(mayComeFirst)) return null;
    return `${found.error}: ${found.message}; Python says ${row.error}: ${row.message}`;
  }
  if (found.error) return `${found.error}: ${found.message}, where Python has a picture`;
  if (found.indices !== row.indices) return "another index tensor";
  return found.worst > 1 ? `samples are off by ${found.worst}` : null;
}

/** What readers have in common: not the decoder's own words, nor what to do about a model. */
function words(message) {
  return message.replace(/ \(.*/, "").replace(/(written with model \w+).*/, "$1");
}

/** Whether an error is of those that FORMAT.md, section 4, leaves the place of open: of several any may be told. */
function mayComeFirst({ error, message }) {
  return error === "ModelError" || /^tile \d+: (alpha|exact colours): /.test(message);
}
