/** The view that opens .lcq files: the picture, what its header says, PNG. */

import { BEGINNING, Reader, headBytes } from "../container.js";
import { LimitError } from "../errors.js";
import { grouped } from "../numbers.js";
import { announce, element, hideWaiting, lineOf, listFacts, part, save, showWork, tell } from "./dom.js";
import { readExif, upright } from "./exif.js";
import { factsOf, metadataOf } from "./facts.js";
import { restoredName } from "./names.js";
import { bytesOf } from "./reading.js";
import { isLcq } from "./signature.js";
import { Stage, draw } from "./stage.js";

const PIXELS_MAX = 2 ** 27; // of which samples and a canvas take a gigabyte of the browser's

/** The view in an element. names: a promise of the names of models by digest, which never fails. */
export class Opener {
  #root;
  #engine;
  #names;
  #stage;
  #canvas;
  #file;
  #stopping = new AbortController(); // of the file that is open
  #saving = null; // an AbortController while a PNG of it is made

  constructor(root, engine, names) {
    [this.#root, this.#engine, this.#names] = [root, engine, names];
    this.#stage = new Stage(part(root, "stage"), part(root, "zoom"));
    part(root, "download").onclick = () => this.#download();
    part(root, "copy").onclick = () => this.#copy();
    part(root, "stop").onclick = () => (this.#saving ?? this.#stopping).abort();
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
    this.#begin(file);
    try {
      const header = await headerOf(file).finally(() => signal.throwIfAborted());
      showWork(this.#root, true);
      this.#tell(file, header, signal);
      await this.#decode(file, header, signal);
    } catch (error) {
      if (signal !== this.#stopping.signal) return; // another file is opened by now
      if (!signal.aborted) this.#stage.clear();
      if (!part(this.#root, "facts").children.length) showWork(this.#root, buttons.length > 1); // it has no header
      tell(this.#root, signal.aborted ? `${file.name}: stopped` : lineOf(file.name, error), !signal.aborted);
    } finally {
      if (signal === this.#stopping.signal) hideWaiting(this.#root);
    }
  }

  /** The name of a file in place of all that was there before. */
  #begin(file) {
    [this.#file, this.#saving] = [file, null];
    this.#enable(false);
    tell(this.#root, "");
    announce("");
    part(this.#root, "name").textContent = file.name;
    listFacts(part(this.#root, "facts"), []);
    part(this.#root, "metadata").hidden = true;
    this.#stage.clear();
  }

  /** What the header of a file says, at once, and with the name of its model when names are there. */
  #tell(file, header, signal) {
    const list = (names) => listFacts(part(this.#root, "facts"), factsOf(header, file.size, names));
    list(new Map());
    this.#names.then((names) => signal === this.#stopping.signal && list(names));
  }

  async #decode(file, header, signal) {
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
    [this.#canvas] = this.#stage.show(across, down, `${file.name}, ${across} × ${down} pixels`);
    const progress = this.#wait();
    let tiles = 0;
    const onEvent = ({ image, x, y }) => {
      draw(this.#canvas, image, x, y, matrix);
      if (header.tiles > 1) progress.value = ++tiles / header.tiles;
    };
    await this.#engine.call("open", { file }, { signal, onEvent });
    if (header.icc?.length || header.cicp) {
      const managed = await this.#engine.call("inItsColours", {}, { signal });
      draw(this.#canvas, managed, 0, 0, matrix);
    }
    this.#enable(true);
    announce(`${file.name} is open, ${across} × ${down} pixels`);
  }

  /** Show that something is done: the bar of it. */
  #wait() {
    part(this.#root, "waiting").hidden = false;
    const progress = part(this.#root, "waiting").querySelector("progress");
    progress.removeAttribute("value");
    return progress;
  }

  /** Save the PNG, once for as many clicks as come while it is made; it is saved, or its error told, also where another file is chosen then. */
  async #download() {
    if (this.#saving) return;
    const saving = (this.#saving = new AbortController());
    const file = this.#file;
    this.#wait();
    try {
      save(await this.#engine.call("png", { file }, { signal: saving.signal }), restoredName(file.name));
    } catch (error) {
      const { aborted } = saving.signal;
      tell(this.#root, aborted ? `${file.name}: stopped` : lineOf(file.name, error), !aborted);
    } finally {
      if (saving === this.#saving) {
        this.#saving = null;
        hideWaiting(this.#root);
      }
    }
  }

  async #copy() {
    const [{ name }, { signal }] = [this.#file, this.#stopping];
    const told = (line, wrong) => signal === this.#stopping.signal && tell(this.#root, `${name}: ${line}`, wrong);
    if (!navigator.clipboard) {
      told("the browser lets it be copied at https and loopback addresses alone; download it", true);
      return;
    }
    try {
      const png = new Promise((resolve) => this.#canvas.toBlob(resolve));
      await navigator.clipboard.write([new ClipboardItem({ "image/png": png })]);
      told("copied", false);
    } catch (error) {
      told(`the browser does not let it be copied (${error.message}); download it`, true);
    }
  }

  #enable(there) {
    for (const name of ["download", "copy"]) part(this.#root, name).disabled = !there;
  }
}

/** The header of a file, of which no more is read; the error of a picture of another kind says where it belongs. */
async function headerOf(file) {
  const lcq = await isLcq(file);
  const beginning = await bytesOf(file, 0, BEGINNING);
  try {
    return new Reader(lcq ? await bytesOf(file, 0, headBytes(beginning)) : beginning).header;
  } catch (error) {
    if (file.type.startsWith("image/") && !lcq) error.message += "; Compress takes photographs";
    throw error;
  }
}
