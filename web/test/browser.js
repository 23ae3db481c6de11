/** A headless Chromium for the tests. */

import { existsSync } from "node:fs";

import { chromium } from "playwright-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Starts the Chromium of the environment variable CHROMIUM, or one that is installed; says how to get one. */
export async function launch() {
  const executablePath = process.env.CHROMIUM || PLACES.find((place) => existsSync(place));
  if (!executablePath) {
    throw new Error("no Chromium: install one (Debian: apt-get install chromium), or name it in CHROMIUM=/path");
  }
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
}

/** A page of `origin` whose console errors, and requests to anything else, are told by `complaints`. */
export async function open(browser, origin, path = "/test/blank.html") {
  const page = await (await browser.newContext()).newPage();
  const complaints = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    const own = [origin, "blob:", "data:"].some((start) => request.url().startsWith(start));
    if (!own) complaints.push(`request to ${request.url()}`);
  });
  await page.goto(origin + path);
  return { page, complaints };
}
