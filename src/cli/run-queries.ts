/** Many queries in one go, written as a TREC run. */
import { MaxsimError } from "../common/errors.js";
import { readQueries } from "../datasets/queries.js";
import { type RunAnswer, writeTrecRun } from "../datasets/trec-run.js";
import type { Index } from "../engine/index.js";
import type { SearchOptions, SearchResult } from "../engine/options.js";
import type { RerankUsage } from "../rerank/types.js";
import type { CommandContext } from "./context.js";
import { formatCount, formatDuration } from "./render/format.js";
import { singleLine } from "./render/plain-text.js";
import { ProgressRenderer } from "./render/progress.js";
import { RerankTally, usageWords } from "./render/rerank-summary.js";
import { descendingScores } from "./run-scores.js";

export interface RunOptions {
  /** Path of the queries. */
  readonly queries: string;
  /** Path of the run. */
  readonly run: string;
  /** The queries are taken as they are, without operators: those of test collections have quotes that are none. */
  readonly search: Omit<SearchOptions, "signal" | "syntax" | "snippets" | "explain"> & { readonly k: number };
  /** No progress. */
  readonly quiet: boolean;
}

export interface RunReport {
  readonly queries: number;
  readonly run: string;
  readonly k: number;
  readonly seconds: number;
  /** Queries that were longer than the model takes. */
  readonly truncated: number;
  /** With a reranker: what it took, and queries whose order stayed that of the first stage. */
  readonly reranking?: {
    readonly usage: RerankUsage;
    readonly unranked: number;
    /** What those queries were told, each note once, the first few. */
    readonly notes: readonly string[];
  };
}

/** Errors of services may be all different. */
const MOST_NOTES = 3;

/** Queries under way at once: one is encoded while others are scored. */
const CONCURRENT = 4;

/**
 * Answers every query and writes the run once all are answered. Errors: PATH_NOT_FOUND, INVALID_INPUT for a queries
 * file without queries, with a malformed line or an empty query; ABORTED; IO, DISK_FULL.
 */
export async function searchQueries(
  index: Index,
  options: RunOptions,
  context: CommandContext,
): Promise<RunReport> {
  const { run, search, quiet } = options;
  const queries = await readQueries(options.queries);
  if (queries.length === 0) {
    throw new MaxsimError("INVALID_INPUT", `${options.queries} holds no queries`, {
      hint: 'Each line is {"_id": "...", "text": "..."}, or an id, a tab and the text.',
    });
  }
  const blank = queries.find(({ text }) => text.trim() === "");
  if (blank !== undefined) {
    throw new MaxsimError("INVALID_INPUT", `${options.queries}: query ${JSON.stringify(blank.id)} is empty`, {
      hint: "Give it a text, or leave it out.",
    });
  }
  const started = performance.now();
  const progress = new ProgressRenderer({ stream: context.stderr, env: context.env });
  const answers: RunAnswer[] = new Array(queries.length);
  let next = 0;
  let done = 0;
  let truncated = 0;
  const tally = new RerankTally();
  const notes = new Set<string>();
  const worker = async (): Promise<void> => {
    for (let i = next++; i < queries.length; i = next++) {
      const { id: queryId, text } = queries[i]!;
      const result = await index.search(text, {
        ...search,
        syntax: "plain",
        snippets: "none",
        signal: context.signal,
      });
      // Texts and snippets of all hits of all queries would not fit into memory.
      answers[i] = { queryId, hits: runHits(result) };
      if (result.reranking !== undefined) tally.add([result.reranking]);
      if (result.reranking?.reranked === false) {
        for (const note of result.notes ?? []) if (notes.size < MOST_NOTES) notes.add(note);
      }
      if (result.truncated) truncated++;
      done++;
      if (!quiet) progress.update({ stage: "search", done, total: queries.length, unit: "queries" });
    }
  };
  try {
    await Promise.all(Array.from({ length: CONCURRENT }, worker));
  } finally {
    progress.finish();
  }
  await writeTrecRun(run, answers, "maxsim");
  return {
    queries: queries.length,
    run,
    k: search.k,
    seconds: (performance.now() - started) / 1000,
    truncated,
    ...(search.rerank === undefined
      ? {}
      : { reranking: { usage: tally.usage, unranked: tally.failed, notes: [...notes] } }),
  };
}

/** In a run the scores tell the order, which those of a reranker and of what is behind its depth need not. */
function runHits({ hits, reranking }: SearchResult): Array<{ id: string; score: number }> {
  const scores = hits.map(({ score }) => score);
  const last = hits.findLast(({ firstStage }) => firstStage !== undefined);
  const lowest = (last?.score ?? 0) - 1;
  const behind = hits.map(({ firstStage, rank }, i) =>
    firstStage === undefined ? lowest - rank : scores[i]!,
  );
  const told = reranking === undefined || last === undefined ? scores : descendingScores(behind);
  return hits.map(({ id }, i) => ({ id, score: told[i]! }));
}

export function renderRunReport({ queries, run, seconds, truncated, reranking }: RunReport): string {
  const took = reranking === undefined ? "" : usageWords(reranking.usage);
  const unranked = reranking?.unranked ?? 0;
  const lines = [
    `answered ${formatCount(queries, "query", "queries")} in ${formatDuration(seconds)}`,
    `run written to ${run}`,
    ...(truncated > 0
      ? [
          `truncated ${formatCount(truncated, "query", "queries")}: longer than the model takes, the ends were left out`,
        ]
      : []),
    ...(took === "" ? [] : [`reranking took ${took}`]),
    ...(unranked > 0
      ? [`${formatCount(unranked, "query", "queries")} left in the order of the first stage`]
      : []),
    ...(reranking?.notes ?? []).map((note) => `note: ${singleLine(note)}`),
  ];
  return lines.map((line) => `${line}\n`).join("");
}
