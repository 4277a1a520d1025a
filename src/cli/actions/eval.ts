/** `maxsim eval`: searches in every mode, or reads runs, and measures them against judgements. */
import { basename, join, resolve } from "node:path";
import { MaxsimError } from "../../common/errors.js";
import type { Logger } from "../../common/logger.js";
import type { ProgressListener } from "../../common/progress.js";
import { readTrecRun, writeTrecRun } from "../../datasets/trec-run.js";
import { CatalogView } from "../../engine/catalog-view.js";
import type { Index } from "../../engine/index.js";
import type { SearchOptions } from "../../engine/options.js";
import { DEFAULT_METRICS } from "../../evaluation/evaluate.js";
import { makeFolders } from "../../storage/folders.js";
import type { EvalCommandOptions } from "../commands/eval.js";
import { EVAL_MODES, type EvalMode } from "../commands/eval-modes.js";
import { commandLogger } from "../common-options.js";
import { type CommandContext, shownPath, terminalWidth } from "../context.js";
import { createColors } from "../render/color.js";
import { formatMilliseconds, renderEvaluation } from "../render/evaluation.js";
import { formatCount } from "../render/format.js";
import { renderJson } from "../render/json.js";
import { singleLine } from "../render/plain-text.js";
import { ProgressRenderer } from "../render/progress.js";
import { checkDocuments, type EvalCollection, readCollection } from "./eval-collection.js";
import { evaluationIndex, hasWords } from "./eval-index.js";
import { type Candidate, reportOn, type SystemReport } from "./eval-report.js";
import { answerQueries, LATENCY_K, measureLatency, type System } from "./eval-systems.js";

/** Judgements of one's own are hardly ever complete: how much of what was found is judged says what the rest is worth. */
const OWN_METRICS = [...DEFAULT_METRICS, "Judged@10"];

export interface Progress {
  readonly logger: Logger;
  readonly onProgress: ProgressListener;
  readonly say: (line: string) => void;
}

export async function evaluateCollection(
  folder: string | undefined,
  options: EvalCommandOptions,
  context: CommandContext,
): Promise<void> {
  const searched = options.run === undefined || options.modes !== undefined;
  await withEvalProgress(options, context, async (progress) => {
    const collection = await readCollection(folder, options, searched, progress.logger);
    const runs = await readRuns(options.run ?? []);
    const found = searched ? await searchModes(collection, options, progress, context) : undefined;
    const candidates = [...(found?.candidates ?? []), ...runs];
    const baseline = chooseBaseline(candidates, options.baseline);
    const own = folder === undefined && options.qrels === undefined;
    const metrics = options.metrics ?? (own ? OWN_METRICS : DEFAULT_METRICS);
    const systems = reportOn(candidates, collection.qrels, { metrics, missing: options.missing, baseline });
    for (const system of systems) warnOf(system, progress.logger);
    const report = {
      collection,
      baseline,
      systems,
      index: found?.index,
      unknownDocuments: found?.unknown ?? 0,
    };
    context.stdout.write(
      options.json === true ? renderJson(jsonOf(report, options)) : render(report, context),
    );
  });
}

/** Draws progress and clears it away; errors come after it. */
export async function withEvalProgress(
  { json = false, verbose = false }: { readonly json?: boolean; readonly verbose?: boolean },
  context: CommandContext,
  work: (progress: Progress) => Promise<void>,
): Promise<void> {
  const quiet = json && context.stderr.isTTY !== true;
  const renderer = new ProgressRenderer({ stream: context.stderr, env: context.env });
  try {
    await work({
      logger: commandLogger(context, { json, verbose }),
      onProgress: (event) => {
        if (!quiet) renderer.update(event);
      },
      say: (line) => {
        if (!json) renderer.log(line);
      },
    });
  } finally {
    renderer.finish();
  }
}

interface Report {
  readonly collection: EvalCollection;
  readonly baseline: string;
  readonly systems: readonly SystemReport[];
  readonly index: { readonly folder: string; readonly documents: number } | undefined;
  /** Judged documents that the index does not have. */
  readonly unknownDocuments: number;
}

async function readRuns(files: readonly string[]): Promise<Candidate[]> {
  const runs: Candidate[] = [];
  for (const file of files) {
    // Two runs of the same name are told apart by their paths.
    const same = files.filter((other) => basename(other) === basename(file)).length > 1;
    runs.push({ name: same ? file : basename(file), run: await readTrecRun(file), file });
  }
  return runs;
}

async function searchModes(
  collection: EvalCollection,
  options: EvalCommandOptions,
  progress: Progress,
  context: CommandContext,
): Promise<{ candidates: Candidate[]; unknown: number; index: Report["index"] }> {
  const { name, corpus, queries } = collection;
  const index = await evaluationIndex({ name, corpus, options, ...progress }, context);
  try {
    progress.say(`index: ${shownPath(index.folder)}`);
    const unknown = await countUnknown(collection, index, progress.logger);
    const modes = options.modes ?? (await possibleModes(index, progress.logger));
    const systems = modes.map((mode): System => {
      return { name: mode, index, options: modeOptions(mode, options) };
    });
    const work = { signal: context.signal, onProgress: progress.onProgress };
    const candidates: Candidate[] = [];
    for (const system of systems) {
      const { run, truncated, notes } = await answerQueries(system, queries, options.k, work);
      for (const note of notes) progress.logger.warn(`${system.name}: ${note}`);
      const file =
        options.runDir === undefined ? {} : { file: await writeRun(options.runDir, system.name, run) };
      candidates.push({ name: system.name, run, truncated, ...file });
    }
    const timed = queries.slice(0, options.latency);
    const latencies = timed.length === 0 ? [] : await measureLatency(systems, timed, work);
    const { documents } = index.info();
    return {
      candidates: candidates.map((candidate, i) => {
        const latency = latencies[i];
        return latency === undefined ? candidate : { ...candidate, latency };
      }),
      unknown,
      index: { folder: index.folder, documents },
    };
  } finally {
    await index.close();
  }
}

/** All of them, but for an index that was made without words. */
async function possibleModes(index: Index, logger: Logger): Promise<readonly EvalMode[]> {
  if (await hasWords(index)) return EVAL_MODES;
  logger.warn("the index was made without words: only the mode late is evaluated");
  return ["late"];
}

export async function countUnknown(
  collection: EvalCollection,
  index: Index,
  logger: Logger,
): Promise<number> {
  const view = CatalogView.open(index.folder);
  try {
    return await checkDocuments(collection, (ids) => view.present(ids), logger);
  } finally {
    view.close();
  }
}

function modeOptions(mode: EvalMode, options: EvalCommandOptions): SearchOptions {
  const { effort, lexicalCandidates, fusion, alpha } = options;
  const common = effort === undefined ? {} : { effort };
  if (mode === "late+lexical") return { ...common, mode: "late", lexicalCandidates };
  if (mode !== "hybrid") return { ...common, mode };
  const fused = {
    ...(fusion === undefined ? {} : { method: fusion }),
    ...(alpha === undefined ? {} : { alpha }),
  };
  return { ...common, mode, ...(Object.keys(fused).length === 0 ? {} : { fusion: fused }) };
}

async function writeRun(folder: string, name: string, run: Candidate["run"]): Promise<string> {
  const path = join(resolve(folder), `${name}.trec`);
  await makeFolders(resolve(folder));
  await writeTrecRun(
    path,
    [...run].map(([queryId, hits]) => ({ queryId, hits })),
    `maxsim-${name}`,
  );
  return path;
}

/** Errors: INVALID_ARGUMENT for a name that nothing has. */
function chooseBaseline(candidates: readonly Candidate[], wanted: string | undefined): string {
  const names = candidates.map(({ name }) => name);
  const name = wanted ?? (names.includes("lexical") ? "lexical" : (names[0] ?? ""));
  if (names.includes(name)) return name;
  throw new MaxsimError("INVALID_ARGUMENT", `--baseline ${name}: nothing of that name is evaluated`, {
    hint: `There are ${names.join(", ")}.`,
  });
}

function warnOf({ name, missingQueries, truncatedQueries }: SystemReport, logger: Logger): void {
  if (missingQueries > 0) {
    logger.warn(`${name} does not answer ${formatCount(missingQueries, "judged query", "judged queries")}`);
  }
  if (truncatedQueries > 0) {
    const count = formatCount(truncatedQueries, "query", "queries");
    logger.warn(`${name}: ${count} longer than the model takes, the ends were left out`);
  }
}

function jsonOf(
  { collection, baseline, systems, index, unknownDocuments }: Report,
  options: EvalCommandOptions,
) {
  const { name, split, qrels } = collection;
  return {
    collection: name,
    ...(split === undefined ? {} : { split }),
    ...(index === undefined ? {} : { index: index.folder, documents: index.documents }),
    queries: qrels.size,
    judgements: judgementsOf(collection),
    unknownDocuments,
    baseline,
    systems: systems.map(({ perQuery, ...system }) =>
      options.perQuery === true ? { ...system, perQuery } : system,
    ),
  };
}

function judgementsOf({ qrels }: EvalCollection): number {
  return [...qrels.values()].reduce((sum, grades) => sum + grades.size, 0);
}

function render({ collection, baseline, systems, index }: Report, context: CommandContext): string {
  const { name, split, qrels } = collection;
  const head = [
    `${name}${split === undefined ? "" : ` (${split})`}: ${formatCount(qrels.size, "query", "queries")}`,
    formatCount(judgementsOf(collection), "judgement"),
    ...(index === undefined ? [] : [formatCount(index.documents, "document")]),
  ];
  const [compared = ""] = systems[0]?.metrics.keys() ?? [];
  const style = { colors: createColors(context.stdout, context.env), ...terminalWidth(context.stdout) };
  const table = renderEvaluation({ systems, baseline, compared }, style);
  return `${singleLine(head.join(", "))}\n\n${table}\n${footnotes(systems, baseline, compared).join("\n")}\n`;
}

function footnotes(systems: readonly SystemReport[], baseline: string, compared: string): string[] {
  const tests = systems.flatMap(({ comparisons }) => comparisons?.get(compared) ?? []);
  const latency = systems.flatMap(({ latency: measured }) => measured ?? []);
  const [first] = latency;
  const encode = Math.max(...latency.map(({ encodeP50 }) => encodeP50));
  const encodeTail = Math.max(...latency.map(({ encodeP95 }) => encodeP95));
  return [
    "metrics as trec_eval computes them",
    ...(tests.length === 0
      ? []
      : [
          `p: paired randomization test of ${compared} against ${baseline}, two-sided, ` +
            `${tests.every(({ exact }) => exact) ? "all assignments" : "10,000 rounds, seed 42"}; * p < 0.05`,
        ]),
    ...(first === undefined
      ? []
      : [
          `ms: a search for ${LATENCY_K} documents, one at a time, over ${formatCount(first.queries, "query", "queries")}; ` +
            (encode > 0
              ? `encoding apart: p50 ${formatMilliseconds(encode)}, p95 ${formatMilliseconds(encodeTail)}`
              : "nothing was encoded"),
        ]),
  ];
}
