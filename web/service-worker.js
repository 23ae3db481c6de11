/**
 * Keeps the files of the page, and gives them where there is no connection.
 *
 * Adds, for servers that do not send them, the headers without which WebAssembly has no threads, and the policy that
 * keeps the page, and the worker, which has it of no other place, from asking anybody else. Files of models are
 * named by what is in them; networks.js keeps those itself. stamp.py adds a line that any other file of the page changes,
 * so that browsers take this one for a new one.
 */

const CACHE = "latticecodec-page";
const POLICY = // of index.html, and of cli/server.py
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; " +
  "connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const PATIENCE = 3000; // milliseconds; the page waits for that
const KEPT_ELSEWHERE = /\/models\/[0-9a-f]+\.(onnx|safetensors)$/;

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(Promise.all([clients.claim(), tidied()])));
addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method === "GET" && origin === location.origin && !KEPT_ELSEWHERE.test(pathname)) {
    event.respondWith(answer(request));
  }
});

/** What the server has now, or what it had when it was asked before. */
async function answer(request) {
  const cache = await caches.open(CACHE).catch(() => null); // a browser may forbid it
  try {
    const response = await fetch(request);
    if (response.status === 200) await cache?.put(request, response.clone()).catch(() => {}); // there may be no room
    return guarded(response);
  } catch (error) {
    const kept = await cache?.match(request, { ignoreSearch: true });
    if (kept) return guarded(kept);
    throw error;
  }
}

/** Drop files that the server does not have any more: another version of the page may come with this worker. */
async function tidied() {
  const cache = await caches.open(CACHE).catch(() => null);
  const options = { method: "HEAD", cache: "no-cache", signal: AbortSignal.timeout(PATIENCE) };
  const asked = ((await cache?.keys()) ?? []).map(async (request) => {
    const { status } = await fetch(request.url, options);
    if (status === 404 || status === 410) await cache.delete(request);
  });
  await Promise.allSettled(asked); // all stay where there is no connection
}

function guarded(response) {
  if (response.type === "opaqueredirect" || response.status === 304) return response;
  const headers = new Headers(response.headers);
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  headers.append("Content-Security-Policy", POLICY); // a server's own counts as well
  const { status, statusText } = response;
  return new Response(response.body, { headers, status, statusText });
}
