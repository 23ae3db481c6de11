/** Canvases of which one may be too large for a browser, which takes nothing then, and does not say so. */

import { LcqError } from "../errors.js";

/** The context of a canvas to draw on, which is empty; throws LcqError where it takes nothing. options: of the context. */
export function contextOf(canvas, options) {
  const { width, height } = canvas;
  const context = canvas.getContext("2d", options);
  context?.fillRect(width - 1, height - 1, 1, 1);
  if (!context?.getImageData(width - 1, height - 1, 1, 1).data[3]) {
    throw new LcqError(`a picture of ${width}x${height} pixels is too large for this browser`);
  }
  context.clearRect(0, 0, width, height);
  return context;
}
