/** `maxsim eval sweep`: quality against time over a grid of parameters, as a table, a Markdown page and a drawing. */
import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { ioError, MaxsimError } from "../../common/errors.js";
import type { Index } from "../../engine/index.js";
import { formatPoint, type GridPoint, parseGrid } from "../../evaluation/grid.js";
import { makeFolders } from "../../storage/folders.js";
import type { SweepCommandOptions } from "../commands/eval.js";
import { type CommandContext, shownPath, terminalWidth } from "../context.js";
import { createColors } from "../render/color.js";
import { renderJson } from "../render/json.js";
import { renderSweepChart } from "../render/sweep-chart.js";
import { renderSweepPage, renderSweepTable } from "../render/sweep-table.js";
import { countUnknown, type Progress, withEvalProgress } from "./eval.js";
import { type EvalCollection, readCollection } from "./eval-collection.js";
import { EVAL_ROOT, evaluationIndex, hasWords } from "./eval-index.js";
import {
  measureTrials,
  type SweepResult,
  searchOptionsOf,
  seriesName,
  type Trial,
} from "./eval-sweep-points.js";

/** What is tried when nothing else is asked for. */
const LATE_GRIDS = ["effort=fast,balanced,exact", "nprobe=1,2,4,8;refine=32,128,512"];
const WORD_GRIDS = [
  "lexicalCandidates=50,200",
  "mode=hybrid;method=scores;alpha=0.5,0.7,0.85,0.95",
  "mode=hybrid;method=rrf;alpha=0.4,0.6,0.8",
  "mode=lexical",
];

export async function sweepCollection(
  folder: string | undefined,
  options: SweepCommandOptions,
  context: CommandContext,
): Promise<void> {
  for (const point of (options.grid ?? []).flat()) searchOptionsOf(point);
  await withEvalProgress(options, context, async (progress) => {
    const collection = await readCollection(folder, options, true, progress.logger);
    const result = await sweep(collection, options, progress, context);
    const files = await writeResult(
      result,
      resolve(options.out ?? join(EVAL_ROOT, `${collection.name}-sweep`)),
    );
    if (options.json === true) {
      context.stdout.write(renderJson({ ...result, files }));
      return;
    }
    const style = { colors: createColors(context.stdout, context.env), ...terminalWidth(context.stdout) };
    const written = files.map((file) => `written ${shownPath(file)}\n`).join("");
    context.stdout.write(`${renderSweepTable(result, style)}\n${written}`);
  });
}

async function sweep(
  collection: EvalCollection,
  options: SweepCommandOptions,
  progress: Progress,
  context: CommandContext,
): Promise<SweepResult> {
  const indexes = new Map<number | undefined, Index>();
  try {
    for (const { nbits } of options.grid?.flat() ?? [{} as GridPoint]) {
      if (indexes.has(bitsOf(nbits))) continue;
      const chosen = indexOptions(bitsOf(nbits), collection, options);
      const { name, corpus } = collection;
      const index = await evaluationIndex({ name, corpus, options: chosen, ...progress }, context);
      indexes.set(bitsOf(nbits), index);
      if (indexes.size === 1) await countUnknown(collection, index, progress.logger);
    }
    const grids = options.grid ?? (await possibleGrids([...indexes.values()][0]!, progress));
    const trials = grids.flatMap((points) =>
      points.map((point): Trial => {
        const index = indexes.get(bitsOf(point.nbits))!;
        const system = { name: formatPoint(point), index, options: searchOptionsOf(point) };
        return { series: seriesName(points), point, system };
      }),
    );
    const { metric, latency } = options;
    const onNote = (note: string): void => progress.logger.warn(note);
    const work = { signal: context.signal, onProgress: progress.onProgress };
    const measured = await measureTrials(trials, collection, { metric, latency, onNote }, work);
    const { name, split, queries } = collection;
    const { documents = 0 } = [...indexes.values()][0]?.info() ?? {};
    const where = { collection: name, ...(split === undefined ? {} : { split }) };
    return { ...where, documents, queries: queries.length, metric, ...measured };
  } finally {
    for (const index of indexes.values()) await index.close();
  }
}

/** All of them, but for an index that was made without words. */
async function possibleGrids(index: Index, { logger }: Progress): Promise<GridPoint[][]> {
  const words = await hasWords(index);
  if (!words) logger.warn("the index was made without words: only the mode late is tried");
  return [...LATE_GRIDS, ...(words ? WORD_GRIDS : [])].map(parseGrid);
}

function bitsOf(value: string | number | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}

/** Errors: INVALID_ARGUMENT for bits that the index at hand cannot have. */
function indexOptions(
  nbits: number | undefined,
  { corpus }: EvalCollection,
  options: SweepCommandOptions,
): SweepCommandOptions {
  if (nbits === undefined) return options;
  if (corpus === undefined || options.index !== undefined) {
    throw new MaxsimError(
      "INVALID_ARGUMENT",
      "nbits in a grid needs indexes of its own, built from the corpus",
      {
        hint: "Leave --index out, and name a BEIR folder or --corpus.",
      },
    );
  }
  return { ...options, nbits: nbits as 1 | 2 | 4 };
}

/** @returns the paths of the drawing, the page and the data */
async function writeResult(result: SweepResult, folder: string): Promise<string[]> {
  await makeFolders(folder);
  const contents = [
    ["sweep.svg", renderSweepChart(result)],
    ["sweep.md", renderSweepPage(result)],
    ["sweep.json", renderJson(result)],
  ] as const;
  const files: string[] = [];
  for (const [name, content] of contents) {
    const path = join(folder, name);
    try {
      await writeFile(path, content);
    } catch (error) {
      throw ioError("write", path, error);
    }
    files.push(path);
  }
  return files;
}
