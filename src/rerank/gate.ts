import { abortedError, throwIfAborted } from "../common/abort.js";

/** Lets at most `width` pieces of work run at the same time; the others wait in the order in which they came. */
export class Gate {
  private free: number;
  private readonly waiting: (() => void)[] = [];

  constructor(width: number) {
    this.free = width;
  }

  /** Errors: those of `work`, and ABORTED when the signal fires before it begins. */
  async pass<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    throwIfAborted(signal, "reranking");
    if (this.free > 0) this.free--;
    else await this.turn(signal);
    try {
      return await work();
    } finally {
      // The place is handed over, so that nobody who comes between gets it.
      const next = this.waiting.shift();
      if (next === undefined) this.free++;
      else next();
    }
  }

  private turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        signal?.removeEventListener("abort", leave);
        resolve();
      };
      const leave = (): void => {
        this.waiting.splice(this.waiting.indexOf(enter), 1);
        reject(abortedError(signal!, "reranking"));
      };
      this.waiting.push(enter);
      signal?.addEventListener("abort", leave, { once: true });
    });
  }
}
