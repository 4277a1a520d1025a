/** Progress in bytes of a copy. */
import type { ProgressListener, ProgressStage } from "../common/progress.js";

/** Reports come at most this often, but for the first and the last of a stage. */
const INTERVAL_MS = 100;

export class CopyProgress {
  private total: number | undefined;
  private done = 0;
  private stage: ProgressStage = "copy";
  private reported = Number.NEGATIVE_INFINITY;

  constructor(
    /** What an abort interrupts, for its error. */
    readonly what: string,
    readonly signal: AbortSignal | undefined,
    private readonly listener: ProgressListener | undefined,
  ) {}

  /** Begins a stage of `total` bytes. */
  start(total: number, stage: ProgressStage = "copy"): void {
    this.total = total;
    this.stage = stage;
    this.reported = Number.NEGATIVE_INFINITY;
    this.at(0);
  }

  at(done: number): void {
    this.done = done;
    // A commit meanwhile can have made the catalog longer than was expected.
    if (this.total !== undefined && done > this.total) this.total = done;
    const now = performance.now();
    if (now - this.reported < INTERVAL_MS && done !== this.total) return;
    this.reported = now;
    this.listener?.({ stage: this.stage, done, total: this.total, unit: "bytes" });
  }

  /** For `StreamOptions.onBytes`. */
  readonly add = (count: number): void => this.at(this.done + count);
}
