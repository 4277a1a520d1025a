/** The progress of a long operation on stderr: one line that redraws itself, or plain lines where nobody watches. */
import type { ProgressEvent } from "../../common/progress.js";
import { formatBytes, formatDuration, formatNumber, formatRate } from "./format.js";
import { textWidth, truncate } from "./plain-text.js";

/** The part of a stream that is written to. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface ProgressOptions {
  readonly stream: ProgressStream;
  /** TERM=dumb makes plain lines also on a terminal. */
  readonly env?: NodeJS.ProcessEnv;
  /** Milliseconds, never going back. Default: `performance.now`. */
  readonly now?: () => number;
  /** Resident memory in bytes. Default: that of this process. */
  readonly memory?: () => number;
}

/** Redraws on a terminal are at least this far apart: ten a second. */
const REDRAW_MS = 100;
/** Plain lines are at least this far apart, but for the first of a stage. */
const LINE_MS = 5_000;
/** Rates look back this far: long enough to be steady, short enough to follow a change. */
const WINDOW_MS = 15_000;
const MAX_SAMPLES = 64;
const CLEAR_LINE = "\r\u001b[K";

interface Sample {
  readonly at: number;
  readonly done: number;
  readonly tokens: number | undefined;
}

/** Shows the events handed to `update`; `finish` leaves a terminal as if nothing had been there. */
export class ProgressRenderer {
  private readonly stream: ProgressStream;
  private readonly live: boolean;
  private readonly now: () => number;
  private readonly memory: () => number;
  private stage: string | undefined;
  private samples: Sample[] = [];
  private lastShown = Number.NEGATIVE_INFINITY;
  private drawn = false;

  constructor({ stream, env = {}, now, memory }: ProgressOptions) {
    this.stream = stream;
    this.live = stream.isTTY === true && env.TERM !== "dumb";
    this.now = now ?? (() => performance.now());
    this.memory = memory ?? (() => process.memoryUsage.rss());
  }

  /** Takes one report; most of them are not shown, because they come faster than anybody reads. */
  update(event: ProgressEvent): void {
    const at = this.now();
    const started = event.stage !== this.stage;
    if (started) {
      this.stage = event.stage;
      this.samples = [];
    }
    this.record({ at, done: event.done, tokens: event.tokens });
    if (at - this.lastShown < (this.live ? REDRAW_MS : LINE_MS) && !(started && !this.live)) return;
    this.lastShown = at;
    if (!this.live) {
      this.stream.write(`${this.describe(event, Number.POSITIVE_INFINITY)}\n`);
      return;
    }
    // One column stays free: a full line makes some terminals wrap.
    const width = Math.max((this.stream.columns ?? 80) - 1, 10);
    this.stream.write(CLEAR_LINE + truncate(this.describe(event, width), width));
    this.drawn = true;
  }

  /** Writes a line of text above the progress, which comes back with the next event. */
  log(line: string): void {
    this.clear();
    this.stream.write(`${line}\n`);
  }

  /** Removes the line from the terminal. */
  finish(): void {
    this.clear();
    this.stage = undefined;
  }

  private clear(): void {
    if (this.drawn) this.stream.write(CLEAR_LINE);
    this.drawn = false;
    this.lastShown = Number.NEGATIVE_INFINITY;
  }

  /** Keeps samples spread over the window, and always the one from its far end. */
  private record(sample: Sample): void {
    const previous = this.samples.at(-1);
    if (
      previous !== undefined &&
      this.samples.length > 1 &&
      sample.at - this.samples.at(-2)!.at < WINDOW_MS / MAX_SAMPLES
    ) {
      this.samples.pop();
    }
    this.samples.push(sample);
    while (this.samples.length > 2 && sample.at - this.samples[1]!.at >= WINDOW_MS) this.samples.shift();
  }

  /** What there is to say; on a narrow terminal the parts that matter least are left out. */
  private describe({ stage, done, total, unit, tokens }: ProgressEvent, width: number): string {
    const bytes = unit === "bytes";
    const amount = bytes ? formatBytes : formatNumber;
    const count = total === undefined ? amount(done) : `${amount(done)}/${amount(total)}`;
    const counted = bytes ? count : `${count} ${unit}`;
    const share =
      total !== undefined && total > 0 ? `${Math.floor((100 * Math.min(done, total)) / total)}%` : "";
    const first = this.samples[0]!;
    const last = this.samples.at(-1)!;
    const seconds = (last.at - first.at) / 1000;
    const rate = seconds > 0 ? (last.done - first.done) / seconds : 0;
    const tokenRate =
      rate > 0 && tokens !== undefined && first.tokens !== undefined
        ? `${formatNumber((tokens - first.tokens) / seconds)} tokens/s`
        : "";
    const left =
      rate > 0 && total !== undefined && done < total ? `${formatDuration((total - done) / rate)} left` : "";
    const parts = [
      `${stage}  ${counted}`,
      share,
      rate > 0 ? (bytes ? `${formatBytes(rate)}/s` : formatRate(rate)) : "",
      tokenRate,
      left,
      formatBytes(this.memory()),
    ];
    const line = (): string => parts.filter((part) => part !== "").join("  ");
    for (const [part, shorter] of [
      [3, ""],
      [1, ""],
      [0, `${stage}  ${count}`],
      [5, ""],
    ] as const) {
      if (textWidth(line()) <= width) break;
      parts[part] = shorter;
    }
    return line();
  }
}
