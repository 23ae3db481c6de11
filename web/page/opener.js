/** The view that opens .lcq files: the picture, what its header says, PNG. */

import { readHeader } from "../lcq.js";
import { element, lineOf, listFacts, part, save, tell } from "./dom.js";
import { readExif, upright } from "./exif.js";
import { factsOf, metadataOf } from "./facts.js";
import { isLcq } from "./signature.js";
import { Stage, draw } from "./stage.js";

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
    try {
      await this.#open(file, signal);
    } catch (error) {
      if (signal !== this.#stopping.signal) return; // another file is opened by now
      tell(this.#root, signal.aborted ? `${file.name}: stopped` : lineOf(file.name, error), !signal.aborted);
    } finally {
      if (signal === this.#stopping.signal) part(this.#root, "waiting").hidden = true;
    }
  }

  async #open(file, signal) {
    tell(this.#root, "");
    this.#enable(false);
    const bytes = new Uint8Array(await file.arrayBuffer());
    const header = await headerOf(bytes, file);
    const { width, height } = header;
    const { orientation } = readExif(header.exif);
    const matrix = upright(orientation, width, height);
    const [across, down] = orientation > 4 ? [height, width] : [width, height];
    this.#name = file.name;
    part(this.#root, "start").hidden = true;
    part(this.#root, "work").hidden = false;
    part(this.#root, "name").textContent = file.name;
    [this.#canvas] = this.#stage.show(across, down, `${file.name}, ${across} × ${down} pixels`);
    this.#tellFacts(header, bytes.length, signal);
    part(this.#root, "waiting").hidden = false;
    const progress = part(this.#root, "waiting").querySelector("progress");
    progress.removeAttribute("value");
    let tiles = 0;
    const onEvent = ({ image, x, y }) => {
      draw(this.#canvas, image, x, y, matrix);
      if (header.tiles > 1) progress.value = ++tiles / header.tiles;
    };
    await this.#engine.call("open", { bytes }, { signal, onEvent });
    if (header.icc?.length) {
      const managed = await this.#engine.call("inItsColours", {}, { signal });
      draw(this.#canvas, managed, 0, 0, matrix);
    }
    this.#enable(true);
  }

  async #tellFacts(header, length, signal) {
    const metadata = metadataOf(header);
    part(this.#root, "metadata").hidden = !metadata.length;
    listFacts(part(this.#root, "metadata-facts"), metadata);
    const names = await this.#names;
    if (!signal.aborted) listFacts(part(this.#root, "facts"), factsOf(header, length, names));
  }

  async #download() {
    const name = this.#name;
    try {
      save(await this.#engine.call("png", {}), `${name.replace(/\.lcq$/i, "")}.png`);
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

/** The header of a file; of a picture of another kind the error says where it belongs. */
async function headerOf(bytes, file) {
  try {
    return readHeader(bytes);
  } catch (error) {
    if (file.type.startsWith("image/") && !(await isLcq(file))) error.message += "; Compress takes photographs";
    throw error;
  }
}
