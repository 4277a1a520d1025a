/** What each stage of a search saw, kept and cost. */

export interface StageTrace {
  readonly stage:
    | "filter"
    | "restrict"
    | "words"
    | "encode"
    | "centroids"
    | "probe"
    | "gather"
    | "approximate"
    | "exact"
    | "named"
    | "rank"
    | "fuse"
    | "rerank"
    | "hydrate";
  /** What went in and what was kept, in units of the stage: see `what`. */
  readonly seen: number;
  readonly kept: number;
  /** What is counted, such as "centroids" or "passages". */
  readonly what: string;
  readonly milliseconds: number;
}

export interface SearchExplanation {
  /** "words": no token vector was looked at. */
  readonly plan: "exhaustive" | "pruned" | "words";
  /** Why this plan was taken, one sentence. */
  readonly reason: string;
  readonly kernels: { readonly backend: string; readonly isa: string };
  readonly queryTokens: readonly string[];
  readonly stages: readonly StageTrace[];
  readonly parameters: Readonly<Record<string, number | string>>;
}

/** Collects stage traces; `measure` times one stage. */
export class Trace {
  readonly stages: StageTrace[] = [];

  add(stage: StageTrace): void {
    this.stages.push(stage);
  }

  measure<T>(
    stage: StageTrace["stage"],
    what: string,
    run: () => T,
    counts: (result: T) => { seen: number; kept: number },
  ): T {
    const start = performance.now();
    const result = run();
    this.stages.push({ stage, what, ...counts(result), milliseconds: performance.now() - start });
    return result;
  }

  async measureAsync<T>(
    stage: StageTrace["stage"],
    what: string,
    run: () => Promise<T>,
    counts: (result: T) => { seen: number; kept: number },
  ): Promise<T> {
    const start = performance.now();
    const result = await run();
    this.stages.push({ stage, what, ...counts(result), milliseconds: performance.now() - start });
    return result;
  }
}
