/** Seconds that a file takes to decode in Chromium, with one WebAssembly thread and with two: `node test/speed.js FILE.lcq...` */

import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

import { launch, open } from "./browser.js";
import { serve } from "./server.js";

const WEB = fileURLToPath(new URL("..", import.meta.url));
const THREADS = [1, 2];
const TIMES = 5; // of which the least counts

const files = process.argv.slice(2);
for (const threads of THREADS) {
  const server = await serve(WEB);
  const browser = await launch();
  try {
    const { page } = await open(browser, server.origin);
    await page.addInitScript((count) => Object.defineProperty(navigator, "hardwareConcurrency", { value: count }), threads);
    for (const file of files) {
      await page.reload();
      const { first, least } = await page.evaluate(decoded, [readFileSync(file).toString("base64"), TIMES]);
      const told = `${first.toFixed(2)} s the first time, with its model at hand ${least.toFixed(2)} s`;
      console.log(`${basename(file)}, ${threads} thread${threads > 1 ? "s" : ""}: ${told}`);
    }
  } finally {
    await browser.close();
    await server.close();
  }
}

/** In the page: seconds {first, least} of some decodes of a file, base64. */
async function decoded([file, times]) {
  const bytes = Uint8Array.from(atob(file), (character) => character.charCodeAt(0));
  const { decode } = await import("/dist/lcq.js");
  const seconds = [];
  for (let time = 0; time < times; time++) {
    const began = performance.now();
    await decode(bytes);
    seconds.push((performance.now() - began) / 1000);
  }
  return { first: seconds[0], least: Math.min(...seconds) };
}
