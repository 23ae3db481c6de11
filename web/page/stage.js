/** Where pictures are looked at: canvases over each other, that zoom and move together, and a line between them. */

import { contextOf } from "./canvas.js";
import { element } from "./dom.js";

const FACTOR = 1.25; // of a step of zoom
const STEP = 48; // CSS pixels that an arrow key moves by
const LARGEST = 32; // device pixels a side of a pixel
const NEAR = 2; // from this on pixels have edges
const MAIN = 0; // the button of a mouse that drags; fingers and pens have no other
const WHEEL = 0.0016; // of a step of a wheel
const NOTHING = "no picture yet";
const KEYS = "Plus and minus zoom, arrows move, 0 shows all, 1 shows pixels as they are";

/**
 * A stage in an element, with the buttons of its bar.
 *
 * slider: an input of 0 to 100, where on the stage, from the left, the first canvas ends and the others begin.
 */
export class Stage {
  #root;
  #shown; // how far it is zoomed in
  #canvases = [];
  #line = Object.assign(document.createElement("div"), { className: "line", hidden: true });
  #slider;
  #size = { width: 1, height: 1 }; // of the picture
  #scale = 1; // CSS pixels for each of the picture's
  #at = { x: 0, y: 0 }; // CSS pixels from the stage's corner to the picture's
  #fitted = true;
  #pointers = new Map();

  constructor(root, bar, slider = null) {
    [this.#root, this.#slider] = [root, slider];
    root.tabIndex = 0;
    root.setAttribute("role", "img");
    root.setAttribute("aria-label", NOTHING);
    root.setAttribute("aria-description", KEYS);
    root.title = KEYS;
    this.#shown = element("output", "");
    const buttons = [
      ["−", "Zoom out", () => this.#zoom(1 / FACTOR)],
      ["+", "Zoom in", () => this.#zoom(FACTOR)],
      ["Fit", "Show all of it", () => this.fit()],
      ["1:1", "Show pixels as they are", () => this.#zoom(this.#one / this.#scale)],
    ];
    bar.replaceChildren(...buttons.map(([text, label, action]) => button(text, label, action)), this.#shown);
    root.addEventListener("keydown", (event) => this.#key(event));
    root.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    root.addEventListener("dblclick", (event) => this.#toggle(event));
    root.addEventListener("pointerdown", (event) => this.#down(event));
    root.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      root.addEventListener(end, (event) => this.#pointers.delete(event.pointerId));
    }
    slider?.addEventListener("input", () => this.#place());
    this.#line.addEventListener("pointerdown", (event) => {
      event.stopPropagation(); // the picture stays where it is
      if (event.button !== MAIN) return;
      this.#line.setPointerCapture(event.pointerId);
    });
    this.#line.addEventListener("pointermove", (event) => {
      if (!this.#line.hasPointerCapture(event.pointerId)) return;
      slider.value = (100 * this.#point(event).x) / root.clientWidth;
      this.#place();
    });
    new ResizeObserver(() => (this.#fitted ? this.fit() : this.#place())).observe(root);
  }

  /** New canvases [count] of width x height, all of which is shown; `label` is what they are of. Throws LcqError where they are too large. */
  show(width, height, label, count = 1) {
    this.#size = { width, height };
    this.#canvases = Array.from({ length: count }, () => Object.assign(document.createElement("canvas"), this.#size));
    for (const canvas of this.#canvases) contextOf(canvas);
    this.#line.hidden = count === 1;
    this.#root.replaceChildren(...this.#canvases, this.#line);
    this.#root.setAttribute("aria-label", label);
    this.fit();
    return this.#canvases;
  }

  /** Nothing is there to see. */
  clear() {
    this.#canvases = [];
    this.#root.replaceChildren();
    this.#root.setAttribute("aria-label", NOTHING);
    this.#place();
  }

  /** Show the whole picture, none of its pixels larger than the screen's. */
  fit() {
    this.#fitted = true;
    const { clientWidth, clientHeight } = this.#root;
    if (!clientWidth || !clientHeight) return; // it is not on the screen; once it is, this is called again
    const { width, height } = this.#size;
    this.#scale = Math.min(clientWidth / width, clientHeight / height, this.#one);
    this.#place();
  }

  /** The scale at which a pixel is one of the screen. */
  get #one() {
    return 1 / devicePixelRatio;
  }

  /** Zoom by a factor; a point of the stage stays where it is. */
  #zoom(factor, { x, y } = { x: this.#root.clientWidth / 2, y: this.#root.clientHeight / 2 }) {
    const { width, height } = this.#size;
    const smallest = Math.min(this.#one, this.#root.clientWidth / width / 2, this.#root.clientHeight / height / 2);
    const scale = Math.min(Math.max(this.#scale * factor, smallest), LARGEST * this.#one);
    for (const [axis, fixed] of Object.entries({ x, y })) {
      this.#at[axis] = fixed - ((fixed - this.#at[axis]) * scale) / this.#scale;
    }
    this.#scale = scale;
    this.#fitted = false;
    this.#place();
  }

  #pan(x, y) {
    this.#at.x += x;
    this.#at.y += y;
    this.#fitted = false;
    this.#place();
  }

  /** Put the canvases where they belong: in the middle, or with no ground beside them. */
  #place() {
    const { clientWidth, clientHeight } = this.#root;
    const { width, height } = this.#size;
    this.#at.x = within(this.#at.x, clientWidth - width * this.#scale);
    this.#at.y = within(this.#at.y, clientHeight - height * this.#scale);
    const share = (this.#slider?.value ?? 100) / 100;
    const hidden = (share * clientWidth - this.#at.x) / this.#scale; // columns of the later canvases
    for (const [number, canvas] of this.#canvases.entries()) {
      canvas.style.transform = `translate(${this.#at.x}px, ${this.#at.y}px) scale(${this.#scale})`;
      canvas.style.clipPath = number ? `inset(0 0 0 ${Math.min(Math.max(hidden, 0), width)}px)` : "";
      canvas.classList.toggle("near", this.#scale >= NEAR * this.#one);
    }
    this.#line.style.left = `${100 * share}%`;
    this.#shown.value = this.#canvases.length ? `${Number(((100 * this.#scale) / this.#one).toPrecision(3))} %` : "";
  }

  #key(event) {
    const actions = {
      "+": () => this.#zoom(FACTOR),
      "=": () => this.#zoom(FACTOR),
      "-": () => this.#zoom(1 / FACTOR),
      0: () => this.fit(),
      1: () => this.#zoom(this.#one / this.#scale),
      ArrowLeft: () => this.#pan(STEP, 0),
      ArrowRight: () => this.#pan(-STEP, 0),
      ArrowUp: () => this.#pan(0, STEP),
      ArrowDown: () => this.#pan(0, -STEP),
    };
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in actions)) return;
    event.preventDefault();
    actions[event.key]();
  }

  #wheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 20 : 1;
    this.#zoom(Math.exp(-event.deltaY * lines * WHEEL * (event.ctrlKey ? 5 : 1)), this.#point(event));
  }

  #toggle(event) {
    if (this.#fitted) this.#zoom(this.#one / this.#scale, this.#point(event));
    else this.fit();
  }

  #down(event) {
    if (event.button !== MAIN) return;
    this.#root.setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, this.#point(event));
  }

  /** One pointer moves the picture; two zoom it as well. */
  #move(event) {
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    const now = this.#point(event);
    const other = [...this.#pointers].find(([number]) => number !== event.pointerId)?.[1];
    if (other) this.#zoom(distance(now, other) / Math.max(distance(before, other), 1), other);
    else this.#pan(now.x - before.x, now.y - before.y);
    this.#pointers.set(event.pointerId, now);
  }

  #point(event) {
    const { left, top } = this.#root.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }
}

/** Draw ImageData or an ImageBitmap, which is given back, at a place of a picture, which a matrix turns (see `upright`). */
export function draw(canvas, image, x, y, matrix = [1, 0, 0, 1, 0, 0]) {
  const context = canvas.getContext("2d");
  context.setTransform(...matrix);
  context.clearRect(x, y, image.width, image.height);
  context.drawImage(image instanceof ImageData ? canvasOf(image) : image, x, y);
  if (image instanceof ImageBitmap) image.close();
}

/** Leave nothing on a canvas. */
export function erase(canvas) {
  const context = canvas.getContext("2d");
  context.resetTransform();
  context.clearRect(0, 0, canvas.width, canvas.height);
}

function canvasOf(image) {
  const canvas = new OffscreenCanvas(image.width, image.height);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

/** A position, where there is `room` between the ends of a picture and its stage, negative where it is larger. */
function within(position, room) {
  return room >= 0 ? room / 2 : Math.min(Math.max(position, room), 0);
}

function distance(a, b) {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

function button(text, label, action) {
  const made = Object.assign(element("button", text), { type: "button", title: label, onclick: action });
  made.setAttribute("aria-label", label);
  return made;
}
