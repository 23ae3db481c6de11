/** What a browser keeps of models. It may have no room, or forbid a page to keep anything: then nothing is kept. */

const CACHE = "latticecodec"; // of the browser's Cache Storage

/** What is kept of an address, a Response; undefined where that is nothing. */
export function keptOf(address) {
  return tried((cache) => cache.match(address));
}

/** Keep a Response of an address. */
export async function keep(address, response) {
  await tried((cache) => cache.put(address, response));
}

/** Addresses of files in a folder, whose own ends with /, of which something is kept. */
export async function keptIn(folder) {
  const requests = (await tried((cache) => cache.keys())) ?? [];
  return requests.map(({ url }) => url).filter((address) => new URL(".", address).href === folder);
}

/** Keep nothing of some addresses any more. */
export async function drop(addresses) {
  for (const address of addresses) await tried((cache) => cache.delete(address));
}

async function tried(work) {
  if (!globalThis.caches) return undefined; // the address of the page is not a safe one
  try {
    return await work(await caches.open(CACHE));
  } catch {
    return undefined;
  }
}
