/** A static file server for the tests: web/ of a checkout, with or without the headers that threads need. */

import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { pipeline } from "node:stream";

const TYPES = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".json": "application/json",
  ".mjs": "text/javascript",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};
const ISOLATION = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

/**
 * Serves `folder` on the loopback address: {origin, bytes, close}; `bytes()` is what was sent since the last call.
 *
 * Once what `close()` gives is there nothing is served any more: the folder may go.
 */
export async function serve(folder, { isolated = true } = {}) {
  let sent = 0;
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, "http://localhost").pathname));
    const file = join(folder, path.endsWith("/") ? `${path}index.html` : path);
    const found = statSync(file, { throwIfNoEntry: false });
    if (!found?.isFile()) {
      response.writeHead(404).end();
      return;
    }
    sent += found.size;
    const type = TYPES[extname(file)] ?? "application/octet-stream";
    response.writeHead(200, { "Content-Type": type, "Content-Length": found.size, ...(isolated ? ISOLATION : {}) });
    pipeline(createReadStream(file), response, () => {}); // a client may leave, and a file go, in the midst
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bytes = () => {
    const since = sent;
    sent = 0;
    return since;
  };
  const close = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  return { origin: `http://127.0.0.1:${server.address().port}`, bytes, close };
}
