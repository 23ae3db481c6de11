/** A page of its own for every test of a file, of which no error may go unheard. */

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach } from "node:test";
import { fileURLToPath } from "node:url";

import { launch } from "./browser.js";
import { serve } from "./server.js";

const DIST = fileURLToPath(new URL("../dist", import.meta.url));
const PATIENCE = 60_000; // milliseconds

/** Opens web/dist anew before each test; the page is `page` of what is returned. Without a service worker, so that `page.route` sees requests. */
export function fresh() {
  const view = { page: null };
  let browser, server, thrown;

  before(async () => {
    server = await serve(DIST);
    browser = await launch();
  });

  after(async () => {
    await browser?.close();
    await server?.close();
  });

  beforeEach(async () => {
    const context = await browser.newContext({ serviceWorkers: "block" });
    view.page = await context.newPage();
    view.page.setDefaultTimeout(PATIENCE);
    thrown = [];
    view.page.on("pageerror", (error) => thrown.push(String(error)));
    await view.page.goto(`${server.origin}/`);
  });

  afterEach(async () => {
    await view.page.context().close();
    assert.deepEqual(thrown, [], "errors that nobody hears of");
  });

  return view;
}
