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

/**
 * What some work gives; where an AbortSignal says before that nobody waits for it any more, its reason is thrown, and what
 * others wait for too, as the files of a model, goes on. signal: see `pause`.
 */
export async function untilAborted(work, signal) {
  if (signal === null) return work();
  signal.throwIfAborted();
  let stop;
  const stopped = new Promise((resolve, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop);
  });
  try {
    return await Promise.race([work(), stopped]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
