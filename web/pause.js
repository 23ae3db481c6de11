/** Between two parts of what takes long: lets the page draw, and a worker hear that it is to stop. */
export function pause() {
  return new Promise((resolve) => setTimeout(resolve));
}
