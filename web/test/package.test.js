/** What programs that use the modules count on: models from where they say, one line for what cannot be, arguments that are checked. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, test } from "node:test";
import { fileURLToPath } from "node:url";

import { decode } from "../dist/lcq.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SAMPLE = new Uint8Array(readFileSync(`${ROOT}tests/shipped/lattice.lcq`));
const known = { fetch: globalThis.fetch };

afterEach(() => {
  for (const name of ["caches", "location"]) delete globalThis[name];
  Object.assign(globalThis, known);
});

/** An error as one line. */
function lineOf(error) {
  return `${error.name}: ${error.message}`;
}

/** Have `fetch` give the files of web/dist at any origin, and what `others` has in their place; the addresses that are asked for. */
function served(others = {}) {
  const asked = [];
  globalThis.fetch = async (address) => {
    const { href, pathname } = new URL(address);
    asked.push(href);
    const found = others[pathname] ?? readFileSync(`${ROOT}web/dist${pathname}`);
    return found instanceof Response ? found.clone() : new Response(found);
  };
  return asked;
}

const STORES = {
  "is forbidden": () => Promise.reject(new DOMException("The operation is insecure.", "SecurityError")),
  "has no room": async () => ({
    match: async () => undefined,
    put: () => Promise.reject(new DOMException("Quota exceeded.", "QuotaExceededError")),
  }),
};

for (const [what, open] of Object.entries(STORES)) {
  test(`a picture is opened where the browser's store ${what}`, async () => {
    served();
    globalThis.caches = { open };
    const { width } = await decode(SAMPLE, { models: `http://${what.replaceAll(" ", "-")}/models/` });
    assert.equal(width, 192);
  });
}
