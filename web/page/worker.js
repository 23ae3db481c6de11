/** Runs in a worker: tasks of the page. A task keeps what the next one needs. */

import { PictureEncoder } from "../encode.js";
import { LcqError, decode, readHeader, toImageData } from "../lcq.js";
import { runtimeFailed } from "../networks.js";
import { atSize } from "./peers.js";
import { photograph } from "./photograph.js";
import { toPng } from "./png.js";
import { psnr } from "./psnr.js";
import { bytesOf } from "./reading.js";

let opened; // the picture that was decoded last
let original; // the photograph that was chosen last
let encoder; // of that

/** By name: (values, {send, signal}) to a result; `send` tells the page of what comes on the way. */
const TASKS = {
  /** Decodes a file; send: {image, x, y} of each of its tiles. */
  async open({ file }, { send, signal }) {
    opened = null;
    const bytes = await bytesOf(file);
    opened = await decode(bytes, { signal, onTile: sendTile(readHeader(bytes), send) });
  },

  /** The picture of the file that is open as a PNG with its metadata: Blob. */
  async png({ file }, { signal }) {
    const picture = opened ?? (await decode(await bytesOf(file), { signal })); // another worker had it, which has ended
    return toPng(picture, picture.header);
  },

  /** The picture that is open in the colours that its ICC profile, or without one its code points, say: ImageBitmap. */
  async inItsColours() {
    const { icc, cicp } = opened.header;
    return createImageBitmap(await toPng(opened, icc?.length ? { icc } : { cicp }));
  },

  /** Analyses a photograph; send: {image} of it, {share} that is analysed. */
  async choose({ file }, { send, signal }) {
    [original, encoder] = [null, null]; // the one before is not compressed any more, whatever comes of this one
    const chosen = await photograph(file);
    signal.throwIfAborted(); // else it would take the place of one that was chosen later
    original = chosen;
    send({ image: await bitmapOf(chosen) });
    const ready = await PictureEncoder.of(chosen, { signal, onProgress: (share) => send({ share }) });
    signal.throwIfAborted();
    encoder = ready;
  },

  /** Its file at a quality, {bytes, psnr}; send: {share} that is compressed, {image, x, y} of each decoded tile. */
  async compress({ quality }, { send, signal }) {
    const { samples } = original; // another photograph may be chosen on the way
    const bytes = await encoder.encode(quality, { signal, onProgress: (share) => send({ share }) });
    const picture = await decode(bytes, { signal, onTile: sendTile(readHeader(bytes), send) });
    return { bytes, psnr: psnr(samples, picture.samples) };
  },

  /** The largest file of another format of at most so many bytes: {length, psnr, image}; null where there is none. */
  async compare({ type, size }, { signal }) {
    const { samples } = original;
    const found = await atSize(original, type, size, signal);
    if (!found) return null;
    const { blob, picture } = found;
    return { length: blob.size, psnr: psnr(samples, picture.samples), image: await bitmapOf(picture) };
  },
};

const running = new Map(); // AbortControllers by number of the call

onmessage = async ({ data: { number, task, values, abort } }) => {
  if (abort) {
    running.get(number)?.abort();
    return;
  }
  const controller = new AbortController();
  running.set(number, controller);
  const send = (event) => postMessage({ number, event }, pixelsIn(event));
  try {
    const result = await TASKS[task](values, { send, signal: controller.signal });
    postMessage({ number, result }, pixelsIn(result));
  } catch (error) {
    postMessage({ number, error: { name: error.name, message: told(error) }, useless: runtimeFailed() });
  } finally {
    running.delete(number);
  }
};

/** What is told of an error: its own words where it is one of ours, else that the browser says them. */
function told(error) {
  if (error instanceof LcqError || error.name === "AbortError") return error.message;
  return `the browser cannot do this (${error.message}); close other pages, or take another browser`;
}

/** Sends tiles of a file as ImageData. */
function sendTile({ channels, depth }, send) {
  return ({ x, y, ...tile }) => send({ image: toImageData({ ...tile, channels, depth }), x, y });
}

/** A picture of 8-bit RGB as the page draws it without copying it. */
function bitmapOf(picture) {
  return createImageBitmap(toImageData({ channels: 3, depth: 8, ...picture }));
}

/** What of a message moves to the page, and is not copied. */
function pixelsIn(message) {
  const image = message?.image ?? message;
  if (image instanceof ImageBitmap) return [image];
  return image instanceof ImageData ? [image.data.buffer] : [];
}
