/** The page under servers that send no headers of its own: what its service worker adds, keeps and drops. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { launch } from "./browser.js";
import { serve } from "./server.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SAMPLE = { name: "sample.lcq", mimeType: "", buffer: readFileSync(`${ROOT}tests/shipped/lattice.lcq`) };

const DIST = `${ROOT}web/dist`;
const PYTHON = process.env.PYTHON || `${ROOT}.venv/bin/python`;
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
  await server?.close();
});

/** Open a file, from which on there is a worker. */
async function opened() {
  await page.locator("#open [data-files]").first().setInputFiles(SAMPLE);
  await page.waitForSelector("#open [data-download]:not([disabled])");
}

/** Paths of the files that the service worker of a page keeps. */
function kept(page) {
  return page.evaluate(async () => {
    const cache = await caches.open("latticecodec-page");
    return (await cache.keys()).map(({ url }) => new URL(url).pathname);
  });
}

/** The same once page/gone.js is not among them. */
async function withoutGone(page) {
  let found = await kept(page);
  for (const end = Date.now() + PATIENCE; found.includes("/page/gone.js") && Date.now() < end; ) found = await kept(page);
  assert.equal(found.includes("/page/gone.js"), false);
  return found;
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
  await page.evaluate(async () => {
    await (await caches.open("latticecodec-page")).put("/page/gone.js", new Response("x"));
    await (await navigator.serviceWorker.getRegistration()).unregister(); // the one that comes is new
  });
  const before = (await kept(page)).filter((path) => path !== "/page/gone.js");
  assert.ok(before.includes("/page/main.js"));
  await page.reload();
  const after = await withoutGone(page);
  assert.deepEqual(before.filter((path) => !after.includes(path)), []);
});

test("a change of any file brings a new service worker", async () => {
  const last = readFileSync(`${DIST}/service-worker.js`, "utf8").trimEnd().split("\n").at(-1);
  assert.match(last, /^\/\/ version [0-9a-f]{64}$/); // as `make web` writes it
  const folder = mkdtempSync(join(tmpdir(), "page-"));
  const own = await serve(folder, { isolated: false });
  const other = await (await browser.newContext()).newPage();
  try {
    cpSync(DIST, folder, { recursive: true, filter: (path) => basename(path) !== "models" });
    symlinkSync(`${DIST}/models`, join(folder, "models"));
    writeFileSync(join(folder, "page/gone.js"), "x");
    await other.goto(`${own.origin}/`);
    await other.waitForFunction(() => navigator.serviceWorker.controller);
    await other.evaluate(() => fetch("/page/gone.js").then((response) => response.text()));
    assert.ok((await kept(other)).includes("/page/gone.js"));
    rmSync(join(folder, "page/gone.js"));
    execFileSync(PYTHON, [`${ROOT}web/stamp.py`, folder]);
    await other.reload();
    assert.ok((await withoutGone(other)).includes("/page/main.js"));
  } finally {
    await other.context().close();
    await own.close();
    rmSync(folder, { recursive: true });
  }
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
