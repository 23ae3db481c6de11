/** How near one picture is to another. */

const IDENTICAL = 100; // dB, where not one sample differs

/** Peak signal-to-noise ratio in dB of Uint8Arrays of one length, over all their samples together; NaN where one is shorter. */
export function psnr(a, b) {
  const squares = a.reduce((sum, sample, i) => sum + (sample - b[i]) ** 2, 0);
  return squares === 0 ? IDENTICAL : 10 * Math.log10((255 ** 2 * a.length) / squares);
}
