/** The stage in Chromium: zoom, pan, focus, and what the keyboard reaches. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { SAMPLE, difference, opened, page } from "./page.js";

test("the keyboard reaches everything", async () => {
  await opened("lattice.lcq", SAMPLE);
  await page.focus("#open-tab");
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.isVisible("#compress"), true);
  await page.keyboard.press("Home");
  assert.equal(await page.isVisible("#open"), true);
  await page.focus("#open [data-stage]");
  const zoom = () => page.$eval("#open [data-zoom] output", ({ value }) => value);
  await page.keyboard.press("1");
  assert.equal(await zoom(), "100 %");
  await page.keyboard.press("+");
  assert.equal(await zoom(), "125 %");
  const place = () => page.$eval("#open canvas", ({ style }) => style.transform);
  for (let i = 0; i < 8; i++) await page.keyboard.press("+");
  const before = await place();
  await page.keyboard.press("ArrowRight");
  assert.notEqual(await place(), before);
  await page.keyboard.press("0");
  assert.equal(await zoom(), "100 %");
  const nameless = await page.evaluate(() => {
    const named = (each) => each.textContent.trim() || each.getAttribute("aria-label") || each.labels?.length;
    return [...document.querySelectorAll("button, input, progress, [role=img], [role=tabpanel]")]
      .filter((each) => !named(each) && !each.getAttribute("aria-labelledby"))
      .map((each) => each.outerHTML);
  });
  assert.deepEqual(nameless, []);
});

test("the stage shows that it has the focus, whatever the picture is", async () => {
  const stage = page.locator("#open [data-stage]");
  const edge = async () => {
    const { x, y, height } = await stage.boundingBox();
    return page.screenshot({ clip: { x, y: y + height / 2, width: 2, height: 2 } });
  };
  await page.click("#open-tab");
  await opened("lattice.lcq", SAMPLE);
  await stage.focus();
  for (let i = 0; i < 22; i++) await page.keyboard.press("+"); // the picture reaches its edges
  const focused = await edge();
  await page.keyboard.press("Tab");
  assert.ok((await difference(focused, await edge())) > 32);
});

test("a picture that comes while its view is hidden is shown whole, and the main button alone drags it", async () => {
  const zoom = () => page.textContent("#open [data-zoom] output");
  const place = () => page.$eval("#open canvas", ({ style }) => style.transform);
  await opened("lattice.lcq", SAMPLE);
  await page.focus("#open [data-stage]");
  await page.keyboard.press("1");
  for (let i = 0; i < 22; i++) await page.keyboard.press("+");
  const [near, before] = [await zoom(), await place()];
  const { x, y } = await page.locator("#open [data-stage]").boundingBox();
  for (const button of ["right", "left"]) {
    await page.mouse.move(x + 100, y + 100);
    await page.mouse.down({ button });
    await page.mouse.move(x + 150, y + 140);
    await page.mouse.up({ button });
    assert.equal((await place()) === before, button === "right", button);
  }
  await page.evaluate(() => document.querySelector("#open [data-files]").addEventListener("change", () => document.querySelector("#compress-tab").click(), { once: true }));
  await opened("other.lcq", SAMPLE);
  assert.equal(await page.isVisible("#compress"), true);
  await page.click("#open-tab");
  await page.waitForFunction((near) => !["", near].includes(document.querySelector("#open [data-zoom] output").value), near); // "": not there yet
  assert.equal(await zoom(), "100 %");
});
