/**
 * Between two parts of what takes long: lets the page draw, and a worker hear that it is to stop.
 *
 * signal: an AbortSignal, or null; throws its reason where it is to stop. By a message, since a timer waits 4 ms.
 */
export async function pause(signal = null) {
  const { port1, port2 } = new MessageChannel();
  await new Promise((resolve) => {
    port1.onmessage = resolve;
    port2.postMessage(null);
  });
  port1.close();
  signal?.throwIfAborted();
}
