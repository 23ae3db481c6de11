/** Tiles of indices put together, and what of a picture depends on which of them (FORMAT.md, section 10). */

export const PATCH = 16; // pixels that a latent position covers, each way
const AREA = 1024; // pixels a side that the networks work on at a time, at most

/** A box {left, top, width, height} of pixels in latent positions. */
export function latentBox({ left, top, width, height }) {
  const [x, y] = [Math.floor(left / PATCH), Math.floor(top / PATCH)];
  return { left: x, top: y, width: Math.ceil((left + width) / PATCH) - x, height: Math.ceil((top + height) / PATCH) - y };
}

/** A box with `margin` more on all sides, as far as width x height goes. */
export function grown(box, margin, width, height) {
  const [left, top] = [Math.max(0, box.left - margin), Math.max(0, box.top - margin)];
  const [right, bottom] = [Math.min(width, box.left + box.width + margin), Math.min(height, box.top + box.height + margin)];
  return { left, top, width: right - left, height: bottom - top };
}

/** The rows of tiles from which on, and the tile up to which, pixels of a box depend; they see `reach` latent positions. */
export function needed(header, box, reach) {
  const side = header.tile ?? Infinity;
  const seen = grown(box, PATCH * reach, header.width, header.height);
  const lastRow = Math.floor((seen.top + seen.height - 1) / side);
  const lastColumn = Math.floor((seen.left + seen.width - 1) / side);
  return { firstRow: Math.floor(seen.top / side), last: lastRow * header.columns + lastColumn };
}

/** A box in parts of AREA pixels a side. */
export function parts(box) {
  const found = [];
  for (let top = box.top; top < box.top + box.height; top += AREA) {
    for (let left = box.left; left < box.left + box.width; left += AREA) {
      const [right, bottom] = [box.left + box.width, box.top + box.height];
      found.push({ left, top, width: Math.min(AREA, right - left), height: Math.min(AREA, bottom - top) });
    }
  }
  return found;
}

/**
 * Index tensor Int32Array [C, h, w] of a window of latent positions.
 *
 * tiles: a Map of index tensors by number of the tile. positions: of the tensor for a latent position, each way.
 */
export function gather(header, tiles, window, channels, positions) {
  const [height, width] = [positions * window.height, positions * window.width];
  const out = new Int32Array(channels * height * width);
  for (const [number, indices] of tiles) {
    const box = latentBox(header.box(number));
    const [left, top] = [Math.max(box.left, window.left), Math.max(box.top, window.top)];
    const right = Math.min(box.left + box.width, window.left + window.width);
    const bottom = Math.min(box.top + box.height, window.top + window.height);
    if (left >= right || top >= bottom) continue;
    for (let channel = 0; channel < channels; channel++) {
      for (let y = positions * top; y < positions * bottom; y++) {
        const row = channel * positions * box.height + y - positions * box.top;
        const start = row * positions * box.width + positions * (left - box.left);
        const target = (channel * height + y - positions * window.top) * width + positions * (left - window.left);
        out.set(indices.subarray(start, start + positions * (right - left)), target);
      }
    }
  }
  return out;
}
