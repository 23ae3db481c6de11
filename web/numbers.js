/** A number with commas between thousands, as errors tell it. */
export function grouped(number) {
  return number.toLocaleString("en-US");
}
