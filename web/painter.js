/** Index tensors to samples (FORMAT.md, section 10). */

import { kindOf, rateOf } from "./kinds.js";
import { pause } from "./pause.js";
import { PATCH, gather, grown, latentBox, parts } from "./tiling.js";

/**
 * The colours of a box of pixels, to samples [height, width, channels] of it.
 *
 * tiles: a Map of index tensors by number, of all tiles that the box depends on. signal: an AbortSignal, or null.
 */
export async function paint(samples, model, header, tiles, box, signal) {
  const { channels, colours, depth } = header;
  for (const part of parts(box)) {
    await pause(signal);
    const planes = await synthesised(model, header, tiles, part);
    for (let y = 0; y < part.height; y++) {
      const start = ((part.top - box.top + y) * box.width + part.left - box.left) * channels;
      write(samples, start, channels, colours, depth, planes, y, part.width);
    }
  }
}

/** What the synthesis gives for a part: {red, green, blue}, functions of a row to Float32Arrays of it from its left on. */
async function synthesised(model, header, tiles, part) {
  const kind = kindOf(model);
  const rate = rateOf(header.scale, model.config);
  const latents = latentBox({ left: 0, top: 0, width: header.width, height: header.height });
  const window = grown(latentBox(part), model.reach, latents.width, latents.height);
  const indices = gather(header, tiles, window, kind.channels, kind.positions);
  const y = kind.values(indices, rate, header.basis, window.height, window.width); // [M, h w]
  const [{ data, dims }] = await model.run("synthesis", {
    y_hat: { data: y, dims: [1, model.config.latents, window.height, window.width] },
    t: { data: Float32Array.of(rate.t), dims: [1, 1, 1, 1] },
  });
  const [, , height, width] = dims;
  const first = (part.top - PATCH * window.top) * width + part.left - PATCH * window.left;
  return [0, 1, 2].map((plane) => (row) => data.subarray(plane * height * width + first + row * width));
}

/** A row of planes in [0, 1] as samples, clamped and rounded; grey is the mean of the three. */
function write(samples, start, channels, colours, depth, planes, row, width) {
  const peak = depth === 8 ? 255 : 65_535;
  const rows = planes.map((plane) => plane(row));
  const [red, green, blue] = rows;
  for (let x = 0, at = start; x < width; x++, at += channels) {
    if (colours === 1) samples[at] = sample((red[x] + green[x] + blue[x]) / 3, peak);
    else for (let colour = 0; colour < 3; colour++) samples[at + colour] = sample(rows[colour][x], peak);
  }
}

function sample(value, peak) {
  return value > 0 ? Math.round(Math.min(value, 1) * peak) : 0; // 0 for what is no number as well
}
