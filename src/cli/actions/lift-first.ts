/** The first stage of `maxsim lift`: rankings from a search of the index, or from a run of another system. */
import { MaxsimError } from "../../common/errors.js";
import type { Logger } from "../../common/logger.js";
import type { Query } from "../../datasets/queries.js";
import { readTrecRun, runId } from "../../datasets/trec-run.js";
import type { Index } from "../../engine/index.js";
import type { SearchMode } from "../../engine/options.js";
import type { Rankings } from "../../evaluation/lift-rankings.js";
import { rankDocuments } from "../../evaluation/ranking.js";
import { shownPath } from "../context.js";
import { formatCount } from "../render/format.js";
import { type AnswerOptions, answerQueries, measureLatency, type System } from "./eval-systems.js";

export interface FirstStage {
  readonly name: string;
  /** In the order in which trec_eval reads scores, so that the numbers are those of maxsim eval. */
  readonly rankings: Rankings;
  /** Milliseconds of single searches, encoding included; none for a run. */
  readonly times: readonly number[];
}

export interface FirstSearch {
  readonly mode: SearchMode;
  readonly queries: readonly Query[];
  /** Documents a query. */
  readonly k: number;
  /** Queries to take times of. */
  readonly timed: number;
  readonly logger: Logger;
}

/** Errors: those of Index.search. */
export async function searchFirst(
  index: Index,
  { mode, queries, k, timed, logger }: FirstSearch,
  work: AnswerOptions,
): Promise<FirstStage> {
  const system: System = { name: mode, index, options: { mode } };
  const { run, truncated, notes } = await answerQueries(system, queries, k, work);
  for (const note of notes) logger.warn(`${mode}: ${note}`);
  if (truncated > 0) {
    const count = formatCount(truncated, "query", "queries");
    logger.warn(`${mode}: ${count} longer than the model takes, the ends were left out`);
  }
  const rankings = new Map([...run].map(([id, documents]) => [id, rankDocuments(id, documents)]));
  const sample = queries.slice(0, timed);
  const [latency] = sample.length === 0 ? [] : await measureLatency([system], sample, work, k);
  const times = latency?.encode.map((encode, i) => encode + latency.search[i]!) ?? [];
  return { name: mode, rankings, times };
}

/**
 * A TREC run, cut to `k` documents a query. `present` says which ids there are documents of; others are left out, with a warning.
 * Errors: those of readTrecRun; INVALID_INPUT for a run of other queries or other documents.
 */
export async function readFirst(
  file: string,
  queries: readonly Query[],
  k: number,
  present: (ids: readonly string[]) => ReadonlySet<string>,
  logger: Logger,
): Promise<FirstStage> {
  const run = await readTrecRun(file);
  const answers = queries.map(({ id }) => ({ id, documents: run.get(runId(id)) }));
  const silent = answers.filter(({ documents }) => documents === undefined);
  if (silent.length === queries.length) {
    const [answered = "no query"] = run.keys();
    const problem = `answers none of the ${queries.length} judged queries: it has ${answered}, judged is ${queries[0]?.id}`;
    throw new MaxsimError("INVALID_INPUT", `${shownPath(file)} ${problem}`, {
      hint: "Run and judgements belong to different queries: name the right files.",
    });
  }
  if (silent.length > 0) {
    const count = formatCount(silent.length, "judged query", "judged queries");
    logger.warn(`${shownPath(file)} does not answer ${count}, which count as 0`);
  }
  const rankings = new Map(answers.map(({ id, documents = [] }) => [id, rankDocuments(id, documents)]));
  const named = [...new Set([...rankings.values()].flat())];
  // White space in ids is percent-encoded in run files.
  const there = present(named.flatMap((id) => (id.includes("%") ? [id, plainId(id)] : [id])));
  const known = new Map(
    named.flatMap((id): Array<[string, string]> => {
      const own = [id, plainId(id)].find((form) => there.has(form));
      return own === undefined ? [] : [[id, own]];
    }),
  );
  const strange = named.filter((id) => !known.has(id));
  if (strange.length === named.length) {
    const count = formatCount(named.length, "document");
    throw new MaxsimError(
      "INVALID_INPUT",
      `${shownPath(file)}: the corpus has none of its ${count}, such as ${strange[0]}`,
      {
        hint: "The run belongs to other documents: name the right index or corpus.",
      },
    );
  }
  if (strange.length > 0) {
    const count = `${formatCount(strange.length, "document")} of ${named.length}`;
    logger.warn(`${shownPath(file)}: the corpus has no document ${strange[0]}; ${count}, left out`);
  }
  const kept = [...rankings].map(([id, ranking]) => {
    return [id, ranking.flatMap((document) => known.get(document) ?? []).slice(0, k)] as const;
  });
  return { name: shownPath(file), rankings: new Map(kept), times: [] };
}

function plainId(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch (error) {
    // A percent sign of its own: the id is what it is.
    if (error instanceof URIError) return id;
    throw error;
  }
}
