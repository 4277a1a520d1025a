/** `maxsim lift`: what rerankers add to a first stage, at several depths, and what they cost. */
import { MaxsimError } from "../../common/errors.js";
import type { Query } from "../../datasets/queries.js";
import type { Index } from "../../engine/index.js";
import { measureLift } from "../../evaluation/lift.js";
import { usefulDepths } from "../../evaluation/lift-rankings.js";
import type { LiftCommandOptions } from "../commands/lift.js";
import { type CommandContext, shownPath, terminalWidth } from "../context.js";
import { createColors } from "../render/color.js";
import { renderJson } from "../render/json.js";
import { renderLift, renderLiftPage } from "../render/lift.js";
import { liftSentences, recommendation } from "../render/lift-words.js";
import { countUnknown, type Progress, withEvalProgress } from "./eval.js";
import { checkDocuments, type EvalCollection, readCollection } from "./eval-collection.js";
import { evaluationIndex } from "./eval-index.js";
import { type CandidateTexts, corpusTexts, indexTexts } from "./lift-documents.js";
import { type FirstStage, readFirst, searchFirst } from "./lift-first.js";
import { type LiftResult, liftResult } from "./lift-report.js";
import { allContenders, closeContenders, openContenders, STORED } from "./lift-rerankers.js";
import { type Contender, rankingsOf, runContenders } from "./lift-runs.js";

/** Ranks that the metrics look at. */
const METRIC_RANKS = 10;

export async function liftCollection(
  folder: string | undefined,
  options: LiftCommandOptions,
  context: CommandContext,
): Promise<void> {
  await withEvalProgress(options, context, async (progress) => {
    const collection = await readCollection(folder, options, true, progress.logger);
    const names = options.with ?? [STORED];
    const { logger } = progress;
    const open = await openContenders(names, options, logger, context.signal);
    try {
      const place = await openPlace(collection, names, options, progress, context);
      try {
        const contenders = allContenders(names, open, place.index, logger);
        const result = await compare(collection, contenders, place, options, progress, context);
        context.stdout.write(render(result, options, context));
      } finally {
        place.texts.close();
        await place.index?.close();
      }
    } finally {
      await closeContenders(open);
    }
  });
}

/** Where documents are. */
interface Place {
  /** Undefined where none is needed: the first stage is a run, and no reranker takes stored vectors. */
  readonly index: Index | undefined;
  readonly texts: CandidateTexts;
}

async function openPlace(
  collection: EvalCollection,
  names: readonly string[],
  options: LiftCommandOptions,
  { logger, onProgress, say }: Progress,
  context: CommandContext,
): Promise<Place> {
  const { name, corpus } = collection;
  const needed = options.run === undefined || names.includes(STORED) || options.index !== undefined;
  if (corpus !== undefined && !needed) {
    const texts = await corpusTexts(corpus, context.signal);
    await checkDocuments(collection, texts.present, logger);
    return { index: undefined, texts };
  }
  const index = await evaluationIndex({ name, corpus, options, logger, onProgress, say }, context);
  try {
    say(`index: ${shownPath(index.folder)}`);
    await countUnknown(collection, index, logger);
    return { index, texts: indexTexts(index.folder) };
  } catch (error) {
    await index.close();
    throw error;
  }
}

async function compare(
  collection: EvalCollection,
  contenders: readonly Contender[],
  place: Place,
  options: LiftCommandOptions,
  progress: Progress,
  context: CommandContext,
): Promise<LiftResult> {
  const { queries, qrels } = collection;
  const { texts } = place;
  const work = { signal: context.signal, onProgress: progress.onProgress };
  const first = await firstStage(queries, place, options, progress, context);
  const depths = usefulDepths(first.rankings, options.depths);
  const deepest = depths.at(-1)!;
  const candidates = ({ id }: Query) => texts.read((first.rankings.get(id) ?? []).slice(0, deepest));
  const timed = options.latency;
  const runs = await runContenders(contenders, queries, { depths, timed, candidates, ...work });
  const systems = contenders.map((contender, i) => {
    return { name: contender.name, depths: rankingsOf(contender, runs[i]!, first.rankings, depths) };
  });
  const report = measureLift({ qrels, first: first.rankings, systems, depths }, { seed: options.seed });
  return liftResult({
    collection: {
      collection: collection.name,
      ...(collection.split === undefined ? {} : { split: collection.split }),
      documents: texts.documents,
      judgements: [...qrels.values()].reduce((sum, grades) => sum + grades.size, 0),
    },
    first,
    report,
    contenders,
    runs,
    texts: new Map(queries.map(({ id, text }) => [id, text])),
  });
}

function firstStage(
  queries: readonly Query[],
  { index, texts }: Place,
  options: LiftCommandOptions,
  { logger, onProgress }: Progress,
  { signal }: CommandContext,
): Promise<FirstStage> {
  const k = Math.max(METRIC_RANKS, ...options.depths);
  const { run, first: mode = "lexical", latency: timed } = options;
  if (run !== undefined) return readFirst(run, queries, k, texts.present, logger);
  if (index === undefined) throw new MaxsimError("INTERNAL", "a search needs an index");
  return searchFirst(index, { mode, queries, k, timed, logger }, { signal, onProgress });
}

function render(result: LiftResult, { json, markdown }: LiftCommandOptions, context: CommandContext): string {
  if (json === true) {
    const rerankers = result.rerankers.map((reranker) => {
      return { ...reranker, summary: liftSentences(result, reranker) };
    });
    return renderJson({ ...result, rerankers, summary: recommendation(result) });
  }
  if (markdown === true) return renderLiftPage(result);
  const style = { colors: createColors(context.stdout, context.env), ...terminalWidth(context.stdout) };
  return renderLift(result, style);
}
