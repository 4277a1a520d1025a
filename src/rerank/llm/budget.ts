/** What the calls for one query took, and the caps on it. */
import type { RerankUsage } from "../types.js";

/** Caps for each query; Infinity: none. */
export interface Caps {
  readonly maxRequests: number;
  readonly maxTokens: number;
  readonly maxCost: number;
}

/** Per million tokens, in any currency. */
export interface TokenPrice {
  readonly input: number;
  readonly output: number;
}

/** Tokens that a call may take at most, by estimate. */
export interface Need {
  readonly input: number;
  readonly output: number;
}

/** Tokens that a call took. */
export interface Spent extends Need {
  /** True where the server did not say and `input` and `output` are estimates. */
  readonly estimated: boolean;
}

export interface Admission {
  /** Attempts that the call may make, at least 1. */
  readonly attempts: number;
  readonly need: Need;
}

const MILLION = 1_000_000;

/**
 * Counts what calls take. A call is admitted if what is spent, what calls under way may spend and what it may spend itself stay within
 * the caps; what a server counts otherwise than estimated can exceed them by that much.
 */
export class Budget {
  private requests = 0;
  private input = 0;
  private output = 0;
  private estimated = 0;
  /** Of calls under way. */
  private reserved = { requests: 0, input: 0, output: 0 };

  constructor(
    private readonly caps: Caps,
    private readonly price: TokenPrice | undefined,
    /** Calls at the same time, which share the attempts that are left. */
    private readonly parallel: number,
  ) {}

  /** The cap that the call would exceed in words, or what it may do. */
  admit(need: Need, wantedAttempts: number): Admission | string {
    const { maxRequests, maxTokens, maxCost } = this.caps;
    const left = maxRequests - this.requests - this.reserved.requests;
    if (left < 1) return `maxRequests is ${maxRequests}`;
    const input = this.input + this.reserved.input + need.input;
    const output = this.output + this.reserved.output + need.output;
    if (input + output > maxTokens) return `maxTokens is ${maxTokens}`;
    if (this.costOf(input, output) > maxCost) return `maxCost is ${maxCost}`;
    const attempts = 1 + Math.min(wantedAttempts - 1, Math.floor((left - 1) / this.parallel));
    this.reserve({ attempts, need }, 1);
    return { attempts, need };
  }

  /** Called once for each admitted call. `spent` is undefined where it failed before an answer. */
  settle(admission: Admission, attempts: number, spent: Spent | undefined): void {
    this.reserve(admission, -1);
    this.requests += attempts;
    if (spent === undefined) return;
    this.input += spent.input;
    this.output += spent.output;
    if (spent.estimated) this.estimated += spent.input + spent.output;
  }

  usage(): Partial<Omit<RerankUsage, "scored" | "cached">> {
    return {
      requests: this.requests,
      inputTokens: this.input,
      outputTokens: this.output,
      cost: this.costOf(this.input, this.output),
      ...(this.estimated === 0 ? {} : { estimatedTokens: this.estimated }),
    };
  }

  private reserve({ attempts, need }: Admission, sign: 1 | -1): void {
    this.reserved.requests += sign * attempts;
    this.reserved.input += sign * need.input;
    this.reserved.output += sign * need.output;
  }

  private costOf(input: number, output: number): number {
    if (this.price === undefined) return 0;
    return (input * this.price.input + output * this.price.output) / MILLION;
  }
}
