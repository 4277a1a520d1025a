/** Time for a chain: what is left of it, and how long a stage is likely to take. */

/** Calls that an estimate looks back on, and calls without which there is none. */
const WINDOW = 31;
const CALLS_TO_KNOW = 3;
/** A stage is left out only when it is expected to take this many times what is left. */
const CLEARLY = 1.5;
/** After so many times that a stage was left out by its estimate, it is tried: what was slow may be quick by now. */
const LEFT_OUT_AT_MOST = 15;
/** A call that was broken off would have taken longer than it did, and counts as this many times its time. */
const BROKEN_OFF = 2;

export const OUT_OF_TIME = Symbol("out of time");

/** The budget of one call, which begins when it is made. */
export class Deadline {
  private readonly start = performance.now();
  private over = false;

  /** Milliseconds; Infinity: none. */
  constructor(readonly budget: number) {}

  /** Not below 0. */
  get left(): number {
    return this.over ? 0 : Math.max(0, this.budget - (performance.now() - this.start));
  }

  /**
   * What `work` gives, or OUT_OF_TIME when the budget is used up first; its signal fires then. Work that takes no notice of the
   * signal goes on by itself, and what becomes of it is not looked at.
   */
  async run<T>(
    work: (signal: AbortSignal | undefined) => Promise<T>,
    caller: AbortSignal | undefined,
  ): Promise<T | typeof OUT_OF_TIME> {
    if (this.budget === Number.POSITIVE_INFINITY) return work(caller);
    const controller = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<typeof OUT_OF_TIME>((resolve) => {
      timer = setTimeout(() => {
        // Timers may be a moment early.
        this.over = true;
        // First, so that the work's answer to the signal comes too late.
        resolve(OUT_OF_TIME);
        controller.abort(new Error(`the budget of ${this.budget} ms is used up`));
      }, this.left);
    });
    const signals = caller === undefined ? [controller.signal] : [caller, controller.signal];
    try {
      return await Promise.race([work(AbortSignal.any(signals)), timeout]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** How long a stage took in its last calls. */
export class Pace {
  private readonly calls: { readonly milliseconds: number; readonly documents: number }[] = [];
  private leftOut = 0;

  /** Tells of a call of so many documents in all; `brokenOff` when it did not come to its end. */
  record(milliseconds: number, documents: number, brokenOff = false): void {
    const time = brokenOff ? milliseconds * BROKEN_OFF : milliseconds;
    // A stage that was tried again and is quick by now has lost its past.
    if (this.leftOut >= LEFT_OUT_AT_MOST && time * CLEARLY < (this.estimate(documents) ?? 0)) {
      this.calls.length = 0;
    }
    this.leftOut = 0;
    this.calls.push({ milliseconds: time, documents });
    if (this.calls.length > WINDOW) this.calls.shift();
  }

  /**
   * Milliseconds for so many documents; undefined until there were three calls. The smaller of the median call, for stages that
   * take the same time whatever they are given, and of the median document times `documents`, for those that do not.
   */
  estimate(documents: number): number | undefined {
    if (this.calls.length < CALLS_TO_KNOW) return undefined;
    const call = median(this.calls.map(({ milliseconds }) => milliseconds));
    const document = median(this.calls.map((one) => one.milliseconds / one.documents));
    return Math.min(call, document * documents);
  }

  /** The estimate when the stage had better be left out for it; every 16th time undefined all the same. */
  tooLong(documents: number, left: number): number | undefined {
    const estimate = this.estimate(documents);
    if (estimate === undefined || estimate <= left * CLEARLY || this.leftOut >= LEFT_OUT_AT_MOST)
      return undefined;
    this.leftOut++;
    return estimate;
  }
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1]!;
}
