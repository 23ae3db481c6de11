/** The view that opens .lcq files: the picture, what its header says, PNG. */

import { Reader } from "../container.js";
import { LimitError } from "../errors.js";
import { grouped } from "../numbers.js";
import { element, lineOf, listFacts, part, save, tell } from "./dom.js";
import { readExif, upright } from "./exif.js";
import { factsOf, metadataOf } from "./facts.js";
import { restoredName } from "./names.js";
import { isLcq } from "./signature.js";
import { Stage, draw } from "./stage.js";

const PIXELS_MAX = 2 ** 27; // of which samples and a canvas take a gigabyte of the browser's

/** The view in an element. names: a promise of the names of models by digest. */
export class Opener {
  #root;
  #engine;
  #names;
  #stage;
  #canvas;
  #name = "";
  #stopping = new AbortController();

  constructor(root, engine, names) {
    [this.#root, this.#engine, this.#names] = [root, engine, names];
    this.#stage = new Stage(part(root, "stage"), part(root, "zoom"));
    part(root, "download").onclick = () => this.#download();
    part(root, "copy").onclick = () => this.#copy();
    part(root, "stop").onclick = () => this.#stopping.abort();
  }

  /** Show the first of some files, and a list of them where they are several. */
  async take(files) {
    const buttons = files.map((file) => Object.assign(element("button", file.name), { type: "button" }));
    buttons.forEach((button, i) => (button.onclick = () => this.#choose(files[i], buttons, button)));
    part(this.#root, "others").hidden = files.length < 2;
    part(this.#root, "list").replaceChildren(...buttons.map((button) => {
      const item = document.createElement("li");
      item.append(button);
      return item;
    }));
    await this.#choose(files[0], buttons, buttons[0]);
  }

  async #choose(file, buttons, own) {
    for (const button of buttons) button.setAttribute("aria-current", button === own);
    this.#stopping.abort();
    this.#stopping = new AbortController();
    const { signal } = this.#stopping;
    tell(this.#root, "");
    try {
      const bytes = new Uint8Array(await file.arrayBuffer());
      const [{ header, error }, names] = await Promise.all([headerOf(file, bytes), this.#names]);
      signal.throwIfAborted();
      this.#begin(file.name, header ? factsOf(header, bytes.length, names) : null, buttons.length > 1);
      if (error) throw error;
      await this.#decode(header, bytes, signal);
    } catch (error) {
      if (signal !== this.#stopping.signal) return; // another file is opened by now
      if (!signal.aborted) this.#stage.clear();
      tell(this.#root, signal.aborted ? `${file.name}: stopped` : lineOf(file.name, error), !signal.aborted);
    } finally {
      if (signal === this.#stopping.signal) part(this.#root, "waiting").hidden = true;
    }
  }

  /** Facts of a file in place of what was there before; null where it has none. */
  #begin(name, facts, listed) {
    this.#name = name;
    this.#enable(false);
    part(this.#root, "start").hidden = facts !== null || listed;
    part(this.#root, "work").hidden = facts === null && !listed;
    part(this.#root, "name").textContent = name;
    listFacts(part(this.#root, "facts"), facts ?? []);
    part(this.#root, "metadata").hidden = true;
  }

  async #decode(header, bytes, signal) {
    const { width, height } = header;
    if (width * height > PIXELS_MAX) {
      const told = `${width}x${height} pixels is over this page's limit of ${grouped(PIXELS_MAX)}`;
      throw new LimitError(`${told}; lcodec decompress opens it`);
    }
    const metadata = metadataOf(header);
    part(this.#root, "metadata").hidden = !metadata.length;
    listFacts(part(this.#root, "metadata-facts"), metadata);
    const { orientation } = readExif(header.exif);
    const matrix = upright(orientation, width, height);
    const [across, down] = orientation > 4 ? [height, width] : [width, height];
    [this.#canvas] = this.#stage.show(across, down, `${this.#name}, ${across} × ${down} pixels`);
    part(this.#root, "waiting").hidden = false;
    const progress = part(this.#root, "waiting").querySelector("progress");
    progress.removeAttribute("value");
    let tiles = 0;
    const onEvent = ({ image, x, y }) => {
      draw(this.#canvas, image, x, y, matrix);
      if (header.tiles > 1) progress.value = ++tiles / header.tiles;
    };
    await this.#engine.call("open", { bytes }, { signal, onEvent });
    if (header.icc?.length || header.cicp) {
      const managed = await this.#engine.call("inItsColours", {}, { signal });
      draw(this.#canvas, managed, 0, 0, matrix);
    }
    this.#enable(true);
  }

  async #download() {
    const name = this.#name;
    try {
      save(await this.#engine.call("png", {}), restoredName(name));
    } catch (error) {
      tell(this.#root, lineOf(name, error), true);
    }
  }

  async #copy() {
    try {
      const png = new Promise((resolve) => this.#canvas.toBlob(resolve));
      await navigator.clipboard.write([new ClipboardItem({ "image/png": png })]);
      tell(this.#root, `${this.#name}: copied`);
    } catch (error) {
      tell(this.#root, `${this.#name}: the browser does not let it be copied (${error.message}); download it`, true);
    }
  }

  #enable(there) {
    for (const name of ["download", "copy"]) part(this.#root, name).disabled = !there;
  }
}

/** {header} of a file, or {error}; of a picture of another kind that says where it belongs. */
async function headerOf(file, bytes) {
  try {
    return { header: new Reader(bytes).header };
  } catch (error) {
    if (file.type.startsWith("image/") && !(await isLcq(file))) error.message += "; Compress takes photographs";
    return { error };
  }
}
