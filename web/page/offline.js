/** Keeps the page's own files in the browser, so that it works offline once it was loaded. */

const PATIENCE = 3000; // milliseconds

/** Done when a service worker sees to what is fetched from now on, or there is none to wait for. */
export async function keepOffline() {
  if (!navigator.serviceWorker) return; // the address is not a safe one
  const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE));
  await Promise.race([patience, controlled()]).catch(() => {}); // a browser that forbids it
}

async function controlled() {
  const { serviceWorker } = navigator;
  const known = await serviceWorker.getRegistration(); // after a forced reload it is active, and does not control the page
  const first = !serviceWorker.controller && !known?.active;
  const there = new Promise((resolve) => serviceWorker.addEventListener("controllerchange", resolve, { once: true }));
  await serviceWorker.register(new URL("../service-worker.js", import.meta.url));
  if (!first) return;
  await there;
  const loaded = performance.getEntriesByType("resource").map(({ name }) => name);
  await Promise.all([location.href, ...loaded].map((address) => fetch(address))); // again, and now it keeps them
}
