/** The calls for one query: asked within the budget, failures collected, and what is to be told about them. */
import { isMaxsimError, type MaxsimError } from "../../common/errors.js";
import type { Answer } from "./answers.js";
import type { Budget, Spent } from "./budget.js";
import { type ChatClient, promptTokens } from "./chat.js";
import type { LlmSettings } from "./options.js";
import type { Repairs } from "./orders.js";
import type { Prompt } from "./prompts.js";

/** Codes of failures that are not the model's and go to the caller at once. */
const NOT_OURS: ReadonlySet<string> = new Set(["ABORTED", "CLOSED", "INTERNAL"]);
/** Codes after which further calls are in vain. */
const FINAL: ReadonlySet<string> = new Set(["UNAUTHORIZED", "RATE_LIMITED"]);
/** Calls in a row that the server failed before no more are made. */
const PATIENCE = 3;

export class Job {
  private answered = 0;
  private readonly failures: MaxsimError[] = [];
  /** Calls that the server failed since the last that it answered. */
  private inARow = 0;
  private lost = false;
  private stopReason: string | undefined;
  private cap: string | undefined;
  private repaired = { calls: 0, missing: 0, unknown: 0, duplicate: 0 };

  constructor(
    readonly settings: LlmSettings,
    private readonly client: ChatClient,
    readonly budget: Budget,
    private readonly parallel: number,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /** True where no more calls are made; what has an answer counts. */
  get stopped(): boolean {
    return this.stopReason !== undefined;
  }

  /** True where at least one answer could be used. */
  get succeeded(): boolean {
    return this.answered > 0;
  }

  /** False where the server failed a call; answers that cannot be used and documents that it refuses are part of a ranking. */
  get complete(): boolean {
    return !this.lost;
  }

  /** The first failure, if there was one. */
  get failure(): MaxsimError | undefined {
    return this.failures[0];
  }

  /** The cap that ended the calls in words, if one did. */
  get cappedBy(): string | undefined {
    return this.cap;
  }

  /**
   * What `read` makes of the model's answer; undefined where the call failed, its answer could not be used, or no more calls are made.
   * Errors: ABORTED, and bugs.
   */
  async ask<P extends Prompt, T>(prompt: P, read: (answer: Answer) => T): Promise<T | undefined> {
    if (this.stopped) return undefined;
    const { settings, budget } = this;
    const need = { input: promptTokens(prompt), output: settings.maxOutputTokens ?? prompt.outputTokens };
    const logprobs = settings.method === "pointwise" && settings.logprobs;
    // A server that refuses to tell probabilities is asked once more without, whatever the retries are.
    const admission = budget.admit(need, settings.retries + (logprobs ? 2 : 1));
    if (typeof admission === "string") {
      this.cap = admission;
      this.stopReason = `the calls ended, since ${admission}`;
      return undefined;
    }
    let attempts = 0;
    let spent: Spent | undefined;
    try {
      const chat = await this.client.complete({
        prompt,
        logprobs,
        attempts: admission.attempts,
        signal: this.signal,
        onAttempt: () => {
          attempts++;
        },
      });
      spent = chat.spent;
      this.inARow = 0;
      const value = read(chat.answer);
      this.answered++;
      return value;
    } catch (error) {
      if (!isMaxsimError(error) || NOT_OURS.has(error.code)) throw error;
      this.fail(error, spent !== undefined);
      return undefined;
    } finally {
      budget.settle(admission, attempts, spent);
    }
  }

  /** `task` for each item, a few at a time, in the order of the items; undefined for those that no call was made for. */
  async each<I, T>(items: readonly I[], task: (item: I) => Promise<T>): Promise<Array<T | undefined>> {
    const results: Array<T | undefined> = new Array(items.length).fill(undefined);
    // In waves, not as places become free: what the caps let through must not depend on how fast answers come.
    for (let start = 0; start < items.length && !this.stopped; start += this.parallel) {
      const wave = items.slice(start, start + this.parallel);
      const settled = await Promise.allSettled(wave.map((item) => task(item)));
      settled.forEach((result, i) => {
        if (result.status === "rejected") throw result.reason;
        results[start + i] = result.value;
      });
    }
    return results;
  }

  countRepairs({ missing, unknown, duplicate }: Repairs): void {
    if (missing + unknown + duplicate === 0) return;
    const { repaired } = this;
    repaired.calls++;
    repaired.missing += missing;
    repaired.unknown += unknown;
    repaired.duplicate += duplicate;
  }

  /** What did not go as asked, one sentence each. */
  warnings(): string[] {
    const warnings: string[] = [];
    const [first] = this.failures;
    if (first !== undefined) {
      const { length } = this.failures;
      warnings.push(
        `${length} of ${length + this.answered} calls gave no usable answer, and their documents keep the order of the first stage; the first: ${first.message}`,
      );
    }
    const { calls, missing, unknown, duplicate } = this.repaired;
    if (calls > 0) {
      warnings.push(
        `${calls} of ${this.answered} answers were mended: documents left out ${missing}, unknown ${unknown}, repeated ${duplicate}`,
      );
    }
    if (this.stopReason !== undefined) {
      warnings.push(`${this.stopReason}; what was not ranked by then keeps the order of the first stage`);
    }
    return warnings;
  }

  private fail(error: MaxsimError, answered: boolean): void {
    this.failures.push(error);
    // A document can make a model talk nonsense or a server refuse it: that must not keep the others from being ranked.
    if (answered || (error.code === "INVALID_ARGUMENT" && this.answered > 0)) return;
    this.lost = true;
    this.inARow++;
    if (FINAL.has(error.code) || this.inARow >= PATIENCE) {
      this.stopReason ??= `the calls ended after ${this.inARow === 1 ? "a failure" : `${this.inARow} failures in a row`}`;
    }
  }
}
