/** Queries to rankings: candidates of the index, ranked by the teacher, kept in the journal. */
import { throwIfAborted } from "../common/abort.js";
import { type ErrorCode, isMaxsimError, MaxsimError } from "../common/errors.js";
import type { Index } from "../engine/index.js";
import type { SearchMode } from "../engine/options.js";
import type { Reranker, RerankOutcome } from "../rerank/types.js";
import { NO_USAGE } from "../rerank/usage.js";
import { type Journal, queryKey, type Ranking } from "./journal.js";
import type { PassagePlace, TrainingTexts } from "./training-texts.js";
import type { DistillQuery } from "./types.js";

/** After so many failures without an answer between them, the next query would fail as well. */
const MAX_FAILURES_IN_A_ROW = 10;
/**
 * Failures of a query, also one that a service calls malformed. Any other error is one of the whole run, such as a key that is
 * refused, or a budget that is used up.
 */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  "RATE_LIMITED",
  "TIMEOUT",
  "SERVICE",
  "NETWORK",
  "INVALID_ARGUMENT",
]);

export interface RankContext {
  readonly index: Index;
  /** The generation that `texts` reads. */
  readonly generation: number;
  readonly texts: TrainingTexts;
  readonly mode: SearchMode;
  readonly depth: number;
  readonly teachers: readonly { readonly reranker: Reranker; readonly journal: Journal }[];
  readonly concurrency: number;
  readonly signal: AbortSignal | undefined;
  /** Called after each query with how many are done. */
  readonly onDone: (done: number) => void;
}

/** A query with its rankings, one a teacher; of a teacher that failed, undefined. */
export interface RankedQuery {
  readonly query: DistillQuery;
  readonly rankings: readonly (Ranking | undefined)[];
}

export interface RankedQueries {
  /** In the order of the queries. */
  readonly ranked: readonly RankedQuery[];
  /** Queries of which every ranking was in the journal. */
  readonly resumed: number;
  /** Why teachers failed, one a failure. */
  readonly failures: readonly string[];
}

/**
 * Ranks every query that the journals do not have. Errors: SERVICE when a teacher does nothing but fail, ABORTED, CLOSED, and those of
 * the search and the teachers; what is ranked is in the journals then.
 */
export async function rankQueries(
  queries: readonly DistillQuery[],
  context: RankContext,
): Promise<RankedQueries> {
  const { concurrency, onDone } = context;
  // The first error stops the other lanes, whatever they wait for.
  const failed = new AbortController();
  const signal = AbortSignal.any([failed.signal, ...(context.signal === undefined ? [] : [context.signal])]);
  const ranked: RankedQuery[] = new Array(queries.length);
  const failures: string[] = [];
  let inARow = 0;
  let resumed = 0;
  let done = 0;
  const work = queries.entries();
  const lane = async (): Promise<void> => {
    for (const [i, query] of work) {
      throwIfAborted(signal, "the distillation");
      const known = context.teachers.map(({ journal }) => journal.get(query));
      if (known.every((ranking) => ranking !== undefined)) {
        ranked[i] = { query, rankings: known };
        resumed++;
      } else {
        const result = await rankQuery(query, known, context, signal);
        ranked[i] = result;
        failures.push(...result.failures);
        inARow = result.failures.length === 0 ? 0 : inARow + 1;
        if (inARow >= MAX_FAILURES_IN_A_ROW) throw hopeless(inARow, failures.at(-1)!);
      }
      onDone(++done);
    }
  };
  const lanes = Array.from({ length: concurrency }, () =>
    lane().catch((error: unknown) => {
      failed.abort(error);
      throw error;
    }),
  );
  const outcomes = await Promise.allSettled(lanes);
  throwIfAborted(context.signal, "the distillation");
  if (failed.signal.aborted) throw failed.signal.reason;
  const broken = outcomes.find((outcome) => outcome.status === "rejected");
  if (broken !== undefined) throw broken.reason;
  return { ranked, resumed, failures };
}

async function rankQuery(
  query: DistillQuery,
  known: readonly (Ranking | undefined)[],
  context: RankContext,
  signal: AbortSignal,
): Promise<RankedQuery & { readonly failures: readonly string[] }> {
  const candidates =
    known.find((ranking) => ranking !== undefined)?.candidates ??
    (await findCandidates(query, context, signal));
  const failures: string[] = [];
  const rankings: (Ranking | undefined)[] = [];
  for (const [i, { reranker, journal }] of context.teachers.entries()) {
    let ranking = known[i];
    if (ranking === undefined) {
      const asked = await askTeacher(query, candidates, reranker, context.texts, signal);
      if (typeof asked === "string") failures.push(`${query.id}: ${asked}`);
      else {
        ranking = asked;
        journal.add(ranking);
      }
    }
    rankings.push(ranking);
  }
  return { query, rankings, failures };
}

/** The best passages of the first stage, a document each, without those whose text is empty or that of a better one. */
async function findCandidates(
  { text }: DistillQuery,
  { index, generation, texts, mode, depth }: RankContext,
  signal: AbortSignal,
): Promise<PassagePlace[]> {
  // As they are: a quote or a minus in a title is no operator.
  const options = { k: depth, mode, syntax: "plain", snippets: "none", signal } as const;
  const result = await index.search(text, options);
  if (result.generation !== generation) {
    throw new MaxsimError(
      "INVALID_ARGUMENT",
      `the index ${index.folder} must stay at generation ${generation} during a distillation, found ${result.generation}`,
      { hint: "Do not write to the index meanwhile. What was ranked is of the older generation." },
    );
  }
  const seen = new Set([""]);
  return result.hits.flatMap(({ id, passage }) => {
    const place = { documentId: id, passage: passage.index };
    const key = texts.sameness(place);
    if (seen.has(key)) return [];
    seen.add(key);
    return [place];
  });
}

/** The ranking, or why there is none. */
async function askTeacher(
  query: DistillQuery,
  candidates: readonly PassagePlace[],
  teacher: Reranker,
  texts: TrainingTexts,
  signal: AbortSignal,
): Promise<Ranking | string> {
  const head = { queryId: query.id, key: queryKey(query), candidates };
  // Nothing to put in order.
  if (candidates.length < 2) {
    return {
      ...head,
      scores: candidates.map(() => 0),
      order: [...candidates.keys()],
      usage: NO_USAGE,
      warnings: [],
    };
  }
  const documents = candidates.map((place) => texts.text(place));
  const outcome = await outcomeOf(teacher, query.text, documents, signal);
  if (typeof outcome === "string") return outcome;
  const { results, reranked, complete, warnings, usage } = outcome;
  if (!reranked) return warnings.at(-1) ?? "the teacher did not rank it";
  if (complete === false) return `the teacher ranked a part of it only: ${warnings.join("; ")}`;
  const scores = new Array<number>(candidates.length);
  for (const { index, score } of results) scores[index] = score;
  const order = results.map(({ index }) => index);
  return { ...head, scores, order, usage, warnings };
}

/** What the teacher says, or why it failed where it may do better with the next query. */
async function outcomeOf(
  teacher: Reranker,
  query: string,
  documents: readonly string[],
  signal: AbortSignal,
): Promise<RerankOutcome<string> | string> {
  try {
    const [outcome] = await teacher.rerankBatch([{ query, documents }], { signal });
    return outcome!;
  } catch (error) {
    if (!isMaxsimError(error) || !PASSING.has(error.code)) throw error;
    return error.message;
  }
}

function hopeless(count: number, last: string): MaxsimError {
  return new MaxsimError(
    "SERVICE",
    `the teacher failed for ${count} queries in a row; the last one, ${last}`,
    {
      hint: "What was ranked is kept: run the same command again once the teacher answers.",
    },
  );
}
