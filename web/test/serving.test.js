/** The page under servers that send no headers of its own: what its service worker adds, keeps and drops. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { launch } from "./browser.js";
import { serve } from "./server.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SAMPLE = { name: "sample.lcq", mimeType: "", buffer: readFileSync(`${ROOT}tests/shipped/lattice.lcq`) };

const PATIENCE = 10_000; // milliseconds

let browser, server, page;

before(async () => {
  server = await serve(`${ROOT}web/dist`, { isolated: false });
  browser = await launch();
  page = await (await browser.newContext()).newPage();
  await page.goto(`${server.origin}/`);
  await opened();
});

after(async () => {
  await browser?.close();
  server?.close();
});

/** Open a file, from which on there is a worker. */
async function opened() {
  await page.locator("#open [data-files]").first().setInputFiles(SAMPLE);
  await page.waitForSelector("#open [data-download]:not([disabled])");
}

test("neither the page nor its worker, which reads the files, can ask anybody else", async () => {
  const asked = [];
  const other = createServer((request, response) => response.end(String(asked.push(request.url))));
  await new Promise((resolve) => other.listen(0, "127.0.0.1", resolve));
  const send = (address) => fetch(address, { mode: "no-cors" }).then(() => "sent", (error) => error.name);
  const [worker] = page.workers();
  const told = [];
  for (const where of [page, worker]) {
    told.push(await where.evaluate(send, `http://127.0.0.1:${other.address().port}/${told.length}`));
  }
  other.close();
  assert.deepEqual([told, asked], [["TypeError", "TypeError"], []]);
});

test("a new service worker drops files that the page does not have any more, and keeps the others", async () => {
  const kept = () => page.evaluate(async () => {
    const cache = await caches.open("latticecodec-page");
    return (await cache.keys()).map(({ url }) => new URL(url).pathname);
  });
  await page.evaluate(async () => {
    await (await caches.open("latticecodec-page")).put("/page/gone.js", new Response("x"));
    await (await navigator.serviceWorker.getRegistration()).unregister(); // the one that comes is new
  });
  const before = (await kept()).filter((path) => path !== "/page/gone.js");
  assert.ok(before.includes("/page/main.js"));
  await page.reload();
  let after = await kept();
  for (const end = Date.now() + PATIENCE; after.includes("/page/gone.js") && Date.now() < end; ) after = await kept();
  assert.equal(after.includes("/page/gone.js"), false);
  assert.deepEqual(before.filter((path) => !after.includes(path)), []);
});

test("after a forced reload the first file does not wait for a service worker that is there", async () => {
  await page.evaluate(() => navigator.serviceWorker.ready);
  const cdp = await page.context().newCDPSession(page);
  await Promise.all([page.waitForEvent("load"), cdp.send("Page.reload", { ignoreCache: true })]);
  assert.equal(await page.evaluate(() => navigator.serviceWorker.controller), null);
  const waited = await page.evaluate(async () => {
    const { keepOffline } = await import("/page/offline.js");
    const began = performance.now();
    await keepOffline();
    return performance.now() - began;
  });
  assert.ok(waited < 2500, `${waited} ms`); // of the 3 s that it would be waited for
});
