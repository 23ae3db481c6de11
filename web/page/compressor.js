/** The view that compresses a photograph, and holds the result against the original and other formats. */

import { announce, element, hideWaiting, lineOf, listFacts, part, save, showWork, tell } from "./dom.js";
import { bytesShown, perPixel } from "./facts.js";
import { packedName } from "./names.js";
import { Stage, draw, erase } from "./stage.js";

const OURS = ".lcq";
const PEERS = { JPEG: "image/jpeg", WebP: "image/webp" };
const FORMATS = [OURS, ...Object.keys(PEERS)]; // of the canvases after the original's

/** The view in an element. */
export class Compressor {
  #root;
  #engine;
  #stage;
  #file;
  #size; // {width, height} of the photograph
  #canvases = []; // of the original, then of FORMATS
  #rows; // of the table: {row, cells, radio} of FORMATS
  #analysis = null; // of the file, in the worker: null, "coming" or "there"
  #result = null; // {name, bytes} of the file that the photograph became
  #stopping = new AbortController();

  constructor(root, engine) {
    [this.#root, this.#engine] = [root, engine];
    this.#stage = new Stage(part(root, "stage"), part(root, "zoom"), part(root, "split"));
    const quality = part(root, "quality");
    quality.oninput = () => (part(root, "quality-shown").value = quality.value);
    quality.onchange = () => this.#again();
    part(root, "stop").onclick = () => this.#stopping.abort();
    part(root, "download").onclick = () => this.#download();
    this.#rows = FORMATS.map((format) => rowOf(format, () => this.#see(format)));
    part(root, "rows").replaceChildren(...this.#rows.map(({ row }) => row));
    engine.addEventListener("ended", () => (this.#analysis = null));
  }

  /** Compress the first of some files, and say so of several. */
  async take([file, ...others]) {
    await this.#run((signal) => {
      if (others.length) tell(this.#root, `${file.name}: the first of ${1 + others.length} files; lcodec compress takes them all`);
      return this.#choose(file, signal);
    });
  }

  /** Compress at another quality; while a photograph is analysed that is noted, and it is compressed so afterwards. */
  #again() {
    if (this.#analysis === "coming") return;
    this.#run((signal) => (this.#analysis ? this.#compress(signal) : this.#choose(this.#file, signal)));
  }

  /** Do something in place of what is being done; its error becomes a line. */
  async #run(work) {
    this.#stopping.abort();
    this.#stopping = new AbortController();
    const { signal } = this.#stopping;
    tell(this.#root, "");
    announce("");
    try {
      await work(signal);
    } catch (error) {
      if (signal !== this.#stopping.signal) return; // something else is done by now
      if (!signal.aborted || this.#analysis === "coming") this.#analysis = null;
      if (!this.#canvases.length) showWork(this.#root, false);
      const line = signal.aborted ? `${this.#file.name}: stopped` : lineOf(this.#file.name, error);
      tell(this.#root, line, !signal.aborted);
    } finally {
      if (signal === this.#stopping.signal) hideWaiting(this.#root);
    }
  }

  async #choose(file, signal) {
    [this.#file, this.#canvases, this.#analysis] = [file, [], "coming"];
    this.#forget();
    showWork(this.#root, true);
    part(this.#root, "name").textContent = file.name;
    listFacts(part(this.#root, "facts"), []);
    this.#stage.clear();
    const onEvent = ({ image, share }) => (image ? this.#draft(image) : this.#progress(share));
    await this.#engine.call("choose", { file }, { signal, onEvent });
    this.#analysis = "there";
    await this.#compress(signal);
  }

  /** Show the photograph, before anything is compressed. */
  #draft(image) {
    const { width, height } = image;
    this.#size = { width, height };
    const label = `${this.#file.name}, ${width} × ${height} pixels: the original on the left, the result on the right`;
    this.#canvases = this.#stage.show(width, height, label, 1 + FORMATS.length);
    draw(this.#canvases[0], image, 0, 0);
    this.#see(OURS);
    listFacts(part(this.#root, "facts"), [
      ["Size", `${width} × ${height} pixels`],
      ["Original", bytesShown(this.#file.size)],
    ]);
  }

  async #compress(signal) {
    this.#forget();
    const quality = Number(part(this.#root, "quality").value);
    const onEvent = ({ share, image, x, y }) => (image ? draw(this.#canvases[1], image, x, y) : this.#progress(share));
    const { bytes, psnr } = await this.#engine.call("compress", { quality }, { signal, onEvent });
    this.#result = { name: packedName(this.#file.name), bytes };
    part(this.#root, "download").disabled = false;
    this.#tell(OURS, bytes.length, psnr);
    this.#progress(null);
    announce(`${this.#file.name} is compressed, ${bytesShown(bytes.length)}, ${psnr.toFixed(2)} dB`);
    for (const format of Object.keys(PEERS)) await this.#compare(format, bytes.length, signal);
  }

  /** Have a row of another format; an error in that, and a browser that does not write it, or not of that size, cost the row alone. */
  async #compare(format, size, signal) {
    const number = FORMATS.indexOf(format);
    const { row, radio } = this.#rows[number];
    let peer = null;
    try {
      peer = await this.#engine.call("compare", { type: PEERS[format], size }, { signal });
      if (peer) draw(this.#canvases[1 + number], peer.image, 0, 0);
    } catch (error) {
      signal.throwIfAborted();
      peer = null;
      tell(this.#root, lineOf(`${this.#file.name}: no comparison with ${format}`, error));
    }
    row.hidden = !peer;
    if (peer) this.#tell(format, peer.length, peer.psnr);
    else if (radio.checked) this.#see(OURS);
  }

  /** There is no result any more. */
  #forget() {
    this.#result = null;
    part(this.#root, "download").disabled = true;
    this.#progress(null);
    for (const canvas of this.#canvases.slice(1)) erase(canvas);
    for (const { cells, radio } of this.#rows) {
      for (const cell of cells) cell.textContent = "…";
      radio.disabled = true;
    }
  }

  /** What is done of the work, 0 to 1; null where that is not known. */
  #progress(share) {
    part(this.#root, "waiting").hidden = false;
    const progress = part(this.#root, "waiting").querySelector("progress");
    if (share === null) progress.removeAttribute("value");
    else progress.value = share;
  }

  #tell(format, length, psnr) {
    const { cells, radio } = this.#rows[FORMATS.indexOf(format)];
    const shown = [length.toLocaleString("en"), perPixel(length, this.#size), psnr.toFixed(2)];
    cells.forEach((cell, i) => (cell.textContent = shown[i]));
    radio.disabled = false;
  }

  /** Have the picture of a format beside the original. */
  #see(format) {
    this.#canvases.slice(1).forEach((canvas, i) => (canvas.hidden = FORMATS[i] !== format));
    this.#rows[FORMATS.indexOf(format)].radio.checked = true;
    part(this.#root, "right").textContent = format;
  }

  #download() {
    const { name, bytes } = this.#result;
    save(new Blob([bytes], { type: "application/octet-stream" }), name);
  }
}

/** A row of the table: a format to be chosen, and cells for what is told of it. */
function rowOf(format, onchange) {
  const radio = Object.assign(document.createElement("input"), { type: "radio", name: "beside", onchange });
  const label = element("label", format);
  label.prepend(radio);
  const head = Object.assign(document.createElement("th"), { scope: "row" });
  head.append(label);
  const cells = [0, 1, 2].map(() => element("td", "…"));
  const row = document.createElement("tr");
  row.append(head, ...cells);
  return { row, cells, radio };
}
