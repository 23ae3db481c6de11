/** A number with commas between thousands, as errors tell it. */
export function grouped(number) {
  return number.toLocaleString("en-US");
}

/** The nearest integer, of two as near the even one: as Python's round and NumPy's rint. */
export function roundHalfEven(value) {
  const up = Math.round(value);
  return up - value === 0.5 && up % 2 !== 0 ? up - 1 : up;
}
