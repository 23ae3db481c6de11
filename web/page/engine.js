/** The worker that decodes and compresses, so that the page goes on answering. */

/** Calls tasks of worker.js, one or more at a time; the event "ended" says that what tasks kept for the next one is lost. */
export class Engine extends EventTarget {
  #worker = null;
  #calls = new Map(); // {resolve, reject, onEvent} by number
  #next = 0;
  #ready;

  /** ready: a promise; the worker starts after it, to be there when it is needed. */
  constructor(ready) {
    super();
    this.#ready = ready.then(() => (this.#worker = this.#started()));
  }

  /**
   * What a task makes of its values; onEvent is called with what it sends on the way.
   *
   * Throws what the task throws, of the same name and message, what onEvent throws, and AbortError once `signal` says so.
   */
  async call(task, values, { onEvent = null, signal = null } = {}) {
    await this.#ready;
    signal?.throwIfAborted();
    this.#worker ??= this.#started();
    const number = this.#next++;
    return new Promise((resolve, reject) => {
      this.#calls.set(number, { resolve, reject, onEvent });
      signal?.addEventListener("abort", () => {
        this.#worker?.postMessage({ number, abort: true });
        this.#calls.delete(number);
        reject(signal.reason);
      });
      this.#worker.postMessage({ number, task, values });
    });
  }

  #started() {
    const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }) => this.#answered(data);
    worker.onerror = (event) => this.#failed(event);
    return worker;
  }

  /** useless: whether the worker cannot do anything else either. */
  #answered({ number, event, result, error, useless }) {
    const call = this.#calls.get(number); // none where it was stopped
    if (event) {
      this.#came(number, call, event);
      return;
    }
    this.#calls.delete(number);
    const thrown = error && Object.assign(new Error(error.message), { name: error.name });
    if (error) call?.reject(thrown);
    else call?.resolve(result);
    if (useless) this.#end(thrown);
  }

  /** Where the page cannot do with an event what it is for, the call ends with that error. */
  #came(number, call, event) {
    try {
      call?.onEvent?.(event);
    } catch (error) {
      this.#calls.delete(number);
      this.#worker.postMessage({ number, abort: true });
      call.reject(error);
    }
  }

  #failed(event) {
    const error = new Error(`the decoder cannot be started (${event.message ?? "a file of it is missing"}); load the page again`);
    this.#end(error);
  }

  /** The next call gets a worker of its own; those that are not answered get an error. */
  #end(error) {
    this.#worker?.terminate();
    this.#worker = null;
    for (const { reject } of this.#calls.values()) reject(error);
    this.#calls.clear();
    this.dispatchEvent(new Event("ended"));
  }
}
