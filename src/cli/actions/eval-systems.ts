/** What is compared: ways to search one index, their answers, and the time that they take. */
import { throwIfAborted } from "../../common/abort.js";
import type { ProgressListener } from "../../common/progress.js";
import type { Query } from "../../datasets/queries.js";
import type { Index } from "../../engine/index.js";
import type { SearchOptions } from "../../engine/options.js";
import type { RankedDocument, Run } from "../../evaluation/types.js";
import type { SearchExplanation } from "../../search/explain.js";

/** One way to search. */
export interface System {
  readonly name: string;
  readonly index: Index;
  readonly options: SearchOptions;
}

export interface Answers {
  readonly run: Run;
  /** Queries that were longer than the model takes. */
  readonly truncated: number;
  /** What could not be honoured, each sentence once. */
  readonly notes: readonly string[];
}

/** Milliseconds, one a query. */
export interface Latency {
  readonly encode: readonly number[];
  /** Everything but encoding. */
  readonly search: readonly number[];
}

export interface AnswerOptions {
  readonly signal: AbortSignal;
  readonly onProgress: ProgressListener;
}

/** Queries that are answered at once: they share threads and passes over the codebook. */
const BATCH = 32;
/** Hits of a search whose time is taken, where nothing else is said. */
export const LATENCY_K = 10;

/** Queries are data here: nothing in them is an operator, and nobody reads snippets. */
const AS_DATA = { syntax: "plain", snippets: "none" } as const;

/** The best `k` documents of each query. Errors: those of Index.searchBatch. */
export async function answerQueries(
  { index, options }: System,
  queries: readonly Query[],
  k: number,
  { signal, onProgress }: AnswerOptions,
): Promise<Answers> {
  const run = new Map<string, readonly RankedDocument[]>();
  const notes = new Set<string>();
  let truncated = 0;
  for (let start = 0; start < queries.length; start += BATCH) {
    const batch = queries.slice(start, start + BATCH);
    const texts = batch.map(({ text }) => text);
    const results = await index.searchBatch(texts, { ...options, ...AS_DATA, k, signal });
    for (const [i, { hits, truncated: cut, notes: said = [] }] of results.entries()) {
      // Texts of all hits of all queries would not fit into memory.
      run.set(
        batch[i]?.id ?? "",
        hits.map(({ id, score }) => ({ id, score })),
      );
      if (cut) truncated++;
      for (const note of said) notes.add(note);
    }
    onProgress({ stage: "search", done: run.size, total: queries.length, unit: "queries" });
  }
  return { run, truncated, notes: [...notes] };
}

/**
 * Times of single searches for `k` hits, one after the other. The systems take turns query by query, so that what else the machine
 * does meets all of them alike. Each answers one query beforehand that does not count.
 */
export async function measureLatency(
  systems: readonly System[],
  queries: readonly Query[],
  { signal, onProgress }: AnswerOptions,
  k = LATENCY_K,
): Promise<Latency[]> {
  const times = systems.map(() => ({ encode: [] as number[], search: [] as number[] }));
  const total = queries.length * systems.length;
  const first = queries.slice(0, 1);
  for (const [turn, { text }] of [...first, ...queries].entries()) {
    for (const [s, { index, options }] of systems.entries()) {
      throwIfAborted(signal, "the evaluation");
      const { explanation } = await index.search(text, {
        ...options,
        ...AS_DATA,
        k,
        explain: "stages",
      });
      if (turn < first.length || explanation === undefined) continue;
      const { encode, search } = stageTimes(explanation);
      times[s]?.encode.push(encode);
      times[s]?.search.push(search);
      onProgress({
        stage: "search",
        done: (turn - 1) * systems.length + s + 1,
        total,
        unit: "timed searches",
      });
    }
  }
  return times;
}

function stageTimes({ stages }: SearchExplanation): { encode: number; search: number } {
  const sums = { encode: 0, search: 0 };
  for (const { stage, milliseconds } of stages)
    sums[stage === "encode" ? "encode" : "search"] += milliseconds;
  return sums;
}
