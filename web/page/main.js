/** The page: its views, what is dropped on it, and what it needs offline. */

import { Compressor } from "./compressor.js";
import { Engine } from "./engine.js";
import { keepOffline } from "./offline.js";
import { Opener } from "./opener.js";
import { isLcq } from "./signature.js";

const VIEWS = ["open", "compress"];

const engine = new Engine(keepOffline());
const views = {
  open: new Opener(document.getElementById("open"), engine, modelNames()),
  compress: new Compressor(document.getElementById("compress"), engine),
};
for (const name of VIEWS) {
  const root = document.getElementById(name);
  for (const input of root.querySelectorAll("[data-files]")) {
    input.onchange = () => {
      const files = [...input.files];
      input.value = ""; // so that the same file can be chosen again
      if (files.length) views[name].take(files);
    };
  }
  tab(name).onclick = () => show(name);
  tab(name).onkeydown = (event) => {
    if (!["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) return;
    event.preventDefault();
    const next = { Home: 0, End: VIEWS.length - 1 }[event.key] ?? 1 - VIEWS.indexOf(name);
    show(VIEWS[next]);
    tab(VIEWS[next]).focus();
  };
}

let within = 0; // elements of the page that are dragged over
addEventListener("dragenter", () => dragged(within + 1));
addEventListener("dragleave", () => dragged(within - 1));
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", async (event) => {
  event.preventDefault();
  dragged(0);
  const files = [...event.dataTransfer.files];
  if (!files.length) return;
  if (await isLcq(files[0]).catch(() => false)) show("open"); // the view says what cannot be read
  views[shown()].take(files);
});

function dragged(count) {
  within = count;
  document.body.classList.toggle("dragging", count > 0);
}

function tab(name) {
  return document.getElementById(`${name}-tab`);
}

function shown() {
  return VIEWS.find((name) => !document.getElementById(name).hidden);
}

function show(name) {
  for (const each of VIEWS) {
    document.getElementById(each).hidden = each !== name;
    tab(each).setAttribute("aria-selected", each === name);
    tab(each).tabIndex = each === name ? 0 : -1;
  }
}

/** Names of the models that are there, a Map by digest; empty where they cannot be had. */
async function modelNames() {
  try {
    const models = await (await fetch(new URL("../models/models.json", import.meta.url))).json();
    return new Map(models.map(({ digest, name }) => [digest, name]));
  } catch {
    return new Map();
  }
}
