/**
 * Keeps the files of the page, and gives them where there is no connection.
 *
 * Adds the headers without which WebAssembly has no threads, for servers that do not send them. Files of models are
 * named by what is in them; networks.js keeps those itself.
 */

const CACHE = "latticecodec-page";
const KEPT_ELSEWHERE = /\/models\/[0-9a-f]+\.(onnx|safetensors)$/;

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
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
    return isolated(response);
  } catch (error) {
    const kept = await cache?.match(request, { ignoreSearch: true });
    if (kept) return isolated(kept);
    throw error;
  }
}

function isolated(response) {
  if (response.type === "opaqueredirect" || response.status === 304) return response;
  const headers = new Headers(response.headers);
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  const { status, statusText } = response;
  return new Response(response.body, { headers, status, statusText });
}
