/**
 * Keeps a process from ending while a thread is inside the ONNX runtime. A thread that is stopped there takes the
 * whole process down with an abort instead of an exit status: when a script calls `process.exit`, or dies of an
 * error, in the middle of a build. So threads say when they are inside, and the process waits for them on its way
 * out: at most for one run each, since no thread goes in any more.
 */
import { MaxsimError } from "../common/errors.js";

/** Positions in the shared state. */
const STOPPED = 0;
const INSIDE = 1;
/** A run takes milliseconds to tenths of a second; loading a large model takes seconds. */
const EXIT_WAIT_MS = 10_000;

const guards = new Set<RuntimeGuard>();

function waitForAll(): void {
  for (const guard of guards) guard.stop();
  for (const guard of guards) guard.waitUntilOutside(EXIT_WAIT_MS);
}

export class RuntimeGuard {
  /** Shared between threads, i32: whether to stop, and how many threads are inside. */
  readonly state: Int32Array;

  constructor(state: Int32Array = new Int32Array(new SharedArrayBuffer(8))) {
    this.state = state;
  }

  /** On the main thread: from now on the process waits for the threads that are inside before it ends. */
  watch(): void {
    if (guards.size === 0) process.once("exit", waitForAll);
    guards.add(this);
  }

  /** Ends `watch`. */
  unwatch(): void {
    guards.delete(this);
    if (guards.size === 0) process.removeListener("exit", waitForAll);
  }

  /** Lets no thread in any more. */
  stop(): void {
    Atomics.store(this.state, STOPPED, 1);
  }

  /** On a worker thread: does `work` inside; throws CLOSED when that is over. */
  async enter<T>(work: () => Promise<T>): Promise<T> {
    // First the count, then the look, as `stop` comes before `waitUntilOutside`: one of the two sees the other.
    Atomics.add(this.state, INSIDE, 1);
    try {
      if (Atomics.load(this.state, STOPPED) !== 0) throw new MaxsimError("CLOSED", "the encoder was closed");
      return await work();
    } finally {
      Atomics.sub(this.state, INSIDE, 1);
      Atomics.notify(this.state, INSIDE);
    }
  }

  /** Blocks the calling thread until no thread is inside, at most for `timeout` milliseconds. */
  waitUntilOutside(timeout: number): void {
    const end = performance.now() + timeout;
    for (;;) {
      const inside = Atomics.load(this.state, INSIDE);
      const left = end - performance.now();
      if (inside === 0 || left <= 0) return;
      Atomics.wait(this.state, INSIDE, inside, left);
    }
  }
}
