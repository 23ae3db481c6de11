/** What modules find in a browser, for tests in Node: `fetch` of the page's files, and a store. Each test begins without. */

import { readFileSync } from "node:fs";
import { afterEach } from "node:test";
import { fileURLToPath } from "node:url";

const DIST = fileURLToPath(new URL("../dist", import.meta.url));
const known = { fetch: globalThis.fetch };

afterEach(() => {
  for (const name of ["caches", "location"]) delete globalThis[name];
  Object.assign(globalThis, known);
});

/** An error as one line. */
export function lineOf(error) {
  return `${error.name}: ${error.message}`;
}

/** Have `fetch` give the files of web/dist at any origin, and what `others` has in their place, Responses, texts, or promises of them; the addresses that are asked for. */
export function served(others = {}) {
  const asked = [];
  globalThis.fetch = async (address) => {
    const { href, pathname } = new URL(address);
    asked.push(href);
    const found = await (others[pathname] ?? readFileSync(`${DIST}${pathname}`));
    return found instanceof Response ? found.clone() : new Response(found);
  };
  return asked;
}

/** Have a store like a browser's: what is kept, by address. */
export function stored() {
  const kept = new Map();
  globalThis.caches = {
    open: async () => ({
      match: async (address) => kept.get(address)?.clone(),
      put: async (address, response) => void kept.set(address, response),
      keys: async () => [...kept.keys()].map((url) => ({ url })),
      delete: async (address) => kept.delete(address),
    }),
  };
  return kept;
}
