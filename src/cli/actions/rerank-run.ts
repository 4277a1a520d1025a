/** `maxsim rerank --run`: a TREC run in, a better one out. */
import { once } from "node:events";
import { resolve } from "node:path";
import { throwIfAborted } from "../../common/abort.js";
import { MaxsimError } from "../../common/errors.js";
import type { ProgressListener } from "../../common/progress.js";
import { beirCollection } from "../../datasets/beir.js";
import { readCorpus } from "../../datasets/corpus.js";
import { readQueries } from "../../datasets/queries.js";
import { formatRunLines, type RunAnswer, readTrecRun, runId, writeTrecRun } from "../../datasets/trec-run.js";
import type { Index } from "../../engine/index.js";
import { rankDocuments } from "../../evaluation/ranking.js";
import type { RerankFields } from "../../rerank/types.js";
import type { RerankCommandOptions } from "../commands/rerank.js";
import { type CommandContext, shownPath } from "../context.js";
import { renderJson } from "../render/json.js";
import { ProgressRenderer } from "../render/progress.js";
import { RerankTally, rerankSummary } from "../render/rerank-summary.js";
import { descendingScores } from "../run-scores.js";
import { type RerankEnvironment, rerankOptions, withReranker } from "./rerank.js";

/** Queries that are ranked in one call. */
const BATCH_QUERIES = 16;

export type RerankRunOptions = RerankCommandOptions & { readonly run: string; readonly depth: number };

/** A query of the run: all its documents, best first, and the texts of those that are reranked. */
interface RunQuery {
  readonly id: string;
  readonly text: string;
  /** Ids as they stand in the run. */
  readonly ranked: readonly string[];
}

export async function rerankRun(options: RerankRunOptions, context: CommandContext): Promise<void> {
  const { json = false, out, depth } = options;
  const progress = new ProgressRenderer({ stream: context.stderr, env: context.env });
  const quiet = json && context.stderr.isTTY !== true;
  const onProgress: ProgressListener = (event) => {
    if (!quiet) progress.update(event);
  };
  const files = await filesOf(options);
  const queries = await readRunQueries(options.run, files.queries);
  await withReranker(options, context, async (environment) => {
    const tally = new RerankTally();
    try {
      const wanted = new Set(queries.flatMap(({ ranked }) => ranked.slice(0, depth)));
      const documents = await candidateTexts(wanted, files.corpus, environment.index, context.signal);
      const answers = rerankQueries(queries, documents, environment, tally, { options, context, onProgress });
      const tag = `maxsim-${environment.opened.reranker.name}`;
      if (out === undefined) await writeRun(answers, tag, context);
      else {
        // Nothing is written over before there is something to take its place.
        const all: RunAnswer[] = [];
        for await (const answer of answers) all.push(answer);
        await writeTrecRun(resolve(out), all, tag);
      }
    } finally {
      progress.finish();
    }
    const { name, model } = environment.opened.reranker;
    if (json) {
      const report = { reranker: name, model, depth, queries: queries.length, run: out, usage: tally.usage };
      context.stdout.write(renderJson({ ...report, unranked: tally.failed, seconds: tally.seconds }));
      return;
    }
    context.stderr.write(rerankSummary(environment.opened, tally));
    if (out !== undefined) context.stderr.write(`run written to ${shownPath(resolve(out))}\n`);
  });
}

/** Errors: PATH_NOT_FOUND, IO. */
async function filesOf({
  queries,
  corpus,
  collection,
  index,
}: RerankRunOptions): Promise<{ queries: string; corpus: string | undefined }> {
  const found = collection === undefined ? undefined : await beirCollection(resolve(collection));
  const texts = queries ?? found?.queries ?? "";
  // Stored documents are there already.
  if (index !== undefined) return { queries: texts, corpus: undefined };
  const documents = corpus ?? found?.corpus;
  if (documents !== undefined) return { queries: texts, corpus: documents };
  throw new MaxsimError("PATH_NOT_FOUND", `${collection} has no corpus.jsonl`, {
    hint: "Name the documents with --corpus PATH, or an index that holds them with --index DIR.",
  });
}

/** The queries of a run with their texts, in the order of the run. Errors: INVALID_INPUT, PATH_NOT_FOUND, IO. */
async function readRunQueries(run: string, queries: string): Promise<RunQuery[]> {
  const answers = await readTrecRun(run);
  const texts = new Map((await readQueries(queries)).map(({ id, text }) => [runId(id), text]));
  return [...answers].map(([id, found]) => {
    const text = texts.get(id);
    if (text !== undefined && text.trim() !== "") return { id, text, ranked: rankDocuments(id, found) };
    const what = text === undefined ? "no query" : "an empty query";
    throw new MaxsimError(
      "INVALID_INPUT",
      `${run} answers query ${id}, but ${queries} has ${what} of that id`,
      {
        hint: "The run belongs to other queries: name the right file.",
      },
    );
  });
}

/** Texts of the documents, by their ids in the run. Errors: INVALID_INPUT for one that is not there, and those of reading. */
async function candidateTexts(
  wanted: ReadonlySet<string>,
  corpus: string | undefined,
  index: Index | undefined,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, RerankFields>> {
  const found = new Map<string, RerankFields>();
  if (index !== undefined) {
    for (const id of wanted) {
      throwIfAborted(signal, "reading documents");
      const document = (await index.get(id)) ?? (await index.get(decodedId(id)));
      if (document !== undefined) found.set(id, { id: document.id, ...textsOf(document) });
    }
  } else if (corpus !== undefined) {
    for await (const item of readCorpus([corpus], { signal })) {
      if (item.kind !== "document") continue;
      const id = runId(item.document.id);
      if (wanted.has(id)) found.set(id, { id: item.document.id, ...textsOf(item.document) });
    }
  }
  const missing = [...wanted].find((id) => !found.has(id));
  if (missing === undefined) return found;
  const place = index === undefined ? corpus : `the index ${index.folder}`;
  throw new MaxsimError("INVALID_INPUT", `the run names document ${missing}, which ${place} does not have`, {
    hint: "The run belongs to other documents: name the right corpus or index.",
  });
}

function textsOf({ title, text }: { readonly title?: string; readonly text: string }): RerankFields {
  return { ...(title === undefined ? {} : { title }), text };
}

/** The id that `runId` wrote, of an id with white space. */
function decodedId(id: string): string {
  return id.replace(/(?:%[0-9A-F]{2})+/g, (bytes) =>
    Buffer.from(bytes.replaceAll("%", ""), "hex").toString("utf8"),
  );
}

async function* rerankQueries(
  queries: readonly RunQuery[],
  documents: ReadonlyMap<string, RerankFields>,
  { opened }: RerankEnvironment,
  tally: RerankTally,
  {
    options,
    context,
    onProgress,
  }: {
    readonly options: RerankRunOptions;
    readonly context: CommandContext;
    readonly onProgress: ProgressListener;
  },
): AsyncGenerator<RunAnswer> {
  for (let at = 0; at < queries.length; at += BATCH_QUERIES) {
    const batch = queries.slice(at, at + BATCH_QUERIES);
    const requests = batch.map(({ text, ranked }) => {
      return { query: text, documents: ranked.slice(0, options.depth).map((id) => documents.get(id)!) };
    });
    const outcomes = await opened.reranker.rerankBatch(requests, rerankOptions(options, context));
    tally.add(outcomes);
    for (const [i, { results }] of outcomes.entries()) {
      const { id: queryId, ranked } = batch[i]!;
      const rest = ranked.slice(results.length);
      // Scores of a run are what tells the order, and those of the first stage are of another scale.
      const lowest = (results.at(-1)?.score ?? 0) - 1;
      const scores = descendingScores([
        ...results.map(({ score }) => score),
        ...rest.map((_, behind) => lowest - behind),
      ]);
      const ids = [...results.map(({ index }) => ranked[index]!), ...rest];
      yield { queryId, hits: ids.map((id, place) => ({ id, score: scores[place]! })) };
    }
    const done = at + batch.length;
    onProgress({ stage: "rank", done, total: queries.length, unit: "queries" });
  }
}

async function writeRun(
  answers: AsyncIterable<RunAnswer>,
  tag: string,
  { stdout, signal }: CommandContext,
): Promise<void> {
  for await (const answer of answers) {
    const text = [...formatRunLines(answer, tag)].join("");
    if (!stdout.write(text)) await once(stdout, "drain", { signal });
  }
}
