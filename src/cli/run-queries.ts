/** Many queries in one go, written as a TREC run. */
import { MaxsimError } from "../common/errors.js";
import { readQueries } from "../datasets/queries.js";
import { writeTrecRun } from "../datasets/trec-run.js";
import type { Index } from "../engine/index.js";
import type { Hit } from "../engine/options.js";
import type { SearchEffort } from "../search/parameters.js";
import type { CommandContext } from "./context.js";
import { formatDuration, formatNumber } from "./render/format.js";
import { ProgressRenderer } from "./render/progress.js";

export interface RunReport {
  readonly queries: number;
  readonly run: string;
  readonly seconds: number;
  readonly truncated: number;
  readonly summary: string;
}

/** Queries under way at once: one is encoded while others are scored. */
const CONCURRENT = 4;

export async function searchQueries(
  index: Index,
  options: {
    readonly queries: string;
    readonly run: string | undefined;
    readonly k: number;
    readonly effort: SearchEffort | undefined;
  },
  context: CommandContext,
): Promise<RunReport> {
  const { run, k, effort } = options;
  if (run === undefined)
    throw new MaxsimError("INVALID_ARGUMENT", "--queries needs --run FILE for its answers");
  const queries = await readQueries(options.queries);
  const started = performance.now();
  const progress = new ProgressRenderer({ stream: context.stderr, env: context.env });
  const answers: Array<readonly Hit[]> = new Array(queries.length);
  let next = 0;
  let done = 0;
  let truncated = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < queries.length; i = next++) {
      const { text } = queries[i]!;
      const search = { k, signal: context.signal, ...(effort === undefined ? {} : { effort }) };
      const result = await index.search(text, search);
      answers[i] = result.hits;
      if (result.truncated) truncated++;
      progress.update({ stage: "search", done: ++done, total: queries.length, unit: "queries" });
    }
  };
  try {
    await Promise.all(Array.from({ length: CONCURRENT }, worker));
  } finally {
    progress.finish();
  }
  await writeTrecRun(
    run,
    queries.map(({ id }, i) => ({ queryId: id, hits: answers[i]! })),
    "maxsim",
  );
  const seconds = (performance.now() - started) / 1000;
  const cut =
    truncated > 0 ? `; ${formatNumber(truncated)} were longer than the model takes and were cut` : "";
  return {
    queries: queries.length,
    run,
    seconds,
    truncated,
    summary: `${formatNumber(queries.length)} queries answered in ${formatDuration(seconds)}, run written to ${run}${cut}`,
  };
}
