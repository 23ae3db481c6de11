"use strict";
// Legend: a codec under the pointer stands out in all plots.
const plots = document.querySelector(".plots");
for (const series of document.querySelectorAll(".series")) {
  series.addEventListener("pointerenter", () => {
    plots.classList.add("focus");
    for (const other of document.querySelectorAll(".series"))
      other.classList.toggle("lit", other.dataset.codec === series.dataset.codec);
  });
  series.addEventListener("pointerleave", () => plots.classList.remove("focus"));
}

// Viewer: two pictures on top of each other, the upper one cut off at a handle; both move and grow together.
const pictures = [...document.querySelectorAll("script.picture")];
if (pictures.length) startViewer();

function startViewer() {
  const find = (id) => document.getElementById(id);
  const stage = find("stage"), handle = find("handle");
  const select = find("picture"), choice = { left: find("left"), right: find("right") };
  const image = { left: find("left-image"), right: find("right-image") };
  const tag = { left: find("left-tag"), right: find("right-tag") };
  let picture = null, split = 0.5, scale = 1, x = 0, y = 0;

  const least = () => Math.min(stage.clientWidth / picture.width, stage.clientHeight / picture.height);

  function draw() {
    const w = stage.clientWidth, h = stage.clientHeight, wide = picture.width * scale, high = picture.height * scale;
    x = wide <= w ? (w - wide) / 2 : Math.min(0, Math.max(w - wide, x));
    y = high <= h ? (h - high) / 2 : Math.min(0, Math.max(h - high, y));
    for (const side of ["left", "right"]) {
      image[side].style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
      image[side].style.imageRendering = scale >= 2 ? "pixelated" : "auto";
    }
    find("right-side").style.clipPath = `inset(0 0 0 ${100 * split}%)`;
    handle.style.left = `${100 * split}%`;
    handle.setAttribute("aria-valuenow", String(Math.round(100 * split)));
    stage.classList.toggle("zoomed", wide > w + 1 || high > h + 1);
    find("scale").textContent = `${Math.round(100 * scale)} %`;
  }

  function zoom(factor, across = stage.clientWidth / 2, down = stage.clientHeight / 2) {
    const next = Math.min(16, Math.max(Math.min(1, least()), scale * factor));
    x = across - (across - x) * next / scale;
    y = down - (down - y) * next / scale;
    scale = next;
    draw();
  }

  function fit() {
    scale = least();
    draw();
  }

  function show(side) {
    const shown = picture.shown[Number(choice[side].value)];
    image[side].src = `data:${shown.type};base64,${shown.data}`;
    image[side].alt = `${picture.name}, ${shown.codec}`;
    const bits = 8 * shown.size / (picture.width * picture.height);
    tag[side].textContent = shown.psnr === null ? "original"
      : `${shown.codec}: ${shown.size.toLocaleString("en")} bytes, ${bits.toFixed(3)} bpp, ${shown.psnr.toFixed(2)} dB`;
  }

  function open(number) {
    picture = JSON.parse(pictures[number].textContent);
    for (const side of ["left", "right"]) {
      image[side].width = picture.width;
      image[side].height = picture.height;
      show(side);
    }
    fit();
  }

  function step(by) {
    select.selectedIndex = (select.selectedIndex + by + pictures.length) % pictures.length;
    open(select.selectedIndex);
  }

  function setSplit(clientX) {
    const box = stage.getBoundingClientRect();
    split = Math.min(1, Math.max(0, (clientX - box.left) / box.width));
    draw();
  }

  let drag = null;
  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const pan = stage.classList.contains("zoomed") && !handle.contains(event.target);
    drag = { pan, fromX: event.clientX - x, fromY: event.clientY - y };
    stage.setPointerCapture(event.pointerId);
    if (!pan) setSplit(event.clientX);
  });
  stage.addEventListener("pointermove", (event) => {
    if (!drag) return;
    if (!drag.pan) return setSplit(event.clientX);
    x = event.clientX - drag.fromX;
    y = event.clientY - drag.fromY;
    draw();
  });
  for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, () => { drag = null; });
  stage.addEventListener("wheel", (event) => {
    if (event.deltaY > 0 && scale <= least() + 1e-6) return; // the page scrolls on
    event.preventDefault();
    const box = stage.getBoundingClientRect();
    zoom(Math.exp(-event.deltaY / 400), event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });
  handle.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -0.02, ArrowRight: 0.02 }[event.key];
    if (by) split = Math.min(1, Math.max(0, split + by));
    else if (event.key === "+") zoom(1.5);
    else if (event.key === "-") zoom(1 / 1.5);
    else return;
    event.preventDefault();
    draw();
  });
  find("in").addEventListener("click", () => zoom(1.5));
  find("out").addEventListener("click", () => zoom(1 / 1.5));
  find("fit").addEventListener("click", fit);
  find("one").addEventListener("click", () => zoom(1 / scale));
  find("previous").addEventListener("click", () => step(-1));
  find("next").addEventListener("click", () => step(1));
  select.addEventListener("change", () => open(select.selectedIndex));
  for (const side of ["left", "right"]) choice[side].addEventListener("change", () => show(side));
  window.addEventListener("resize", fit);
  open(0);
}
