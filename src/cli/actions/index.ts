/** `maxsim index`: reads a corpus into an index and reports on it. */
import { MaxsimError } from "../../common/errors.js";
import type { AddReport } from "../../engine/options.js";
import { type BuildOptions, buildIndex } from "../build-index.js";
import type { IndexCommandOptions } from "../commands/index.js";
import { commandLogger } from "../common-options.js";
import { type CommandContext, indexFolder, shownPath } from "../context.js";
import { commandCorpus, renderSkipped } from "../read-corpus.js";
import { readingOptions } from "../reading-options.js";
import { formatCount, formatDuration, formatNumber } from "../render/format.js";
import { renderJson } from "../render/json.js";
import { ProgressRenderer } from "../render/progress.js";
import { renderTable } from "../render/table.js";
import { STANDARD_INPUT, type StandardInputOptions } from "../standard-input-options.js";

export async function indexPaths(
  paths: readonly string[],
  options: IndexCommandOptions,
  context: CommandContext,
): Promise<void> {
  const started = performance.now();
  const folder = indexFolder(options.index);
  // What .gitignore files leave out is left out by default, which need not be remembered.
  const { gitignore, ...rest } = options;
  checkInputOptions(paths, options);
  const reading = readingOptions(gitignore ? rest : options);
  const { documents, skipped, origin } = commandCorpus(
    paths,
    folder,
    reading,
    inputOptions(options),
    context,
  );
  // A path that does not exist, or holds no text, is told before an index is made.
  const first = await documents.next();
  const all = async function* () {
    if (first.done !== true) yield first.value;
    yield* documents;
  };
  // With --json, stderr is for the error alone, but somebody at a terminal likes to see that work goes on.
  const json = options.json === true;
  const quiet = json && context.stderr.isTTY !== true;
  if (!json) context.stderr.write(`index: ${shownPath(folder)}\n`);
  const progress = new ProgressRenderer({ stream: context.stderr, env: context.env });
  let report: AddReport;
  try {
    report = await buildIndex(folder, all(), {
      ...buildOptions(options, context),
      origin,
      onProgress: (event) => {
        if (!quiet) progress.update(event);
      },
    });
  } finally {
    progress.finish();
  }
  const seconds = (performance.now() - started) / 1000;
  if (json) {
    // `skipped` tells of files and records that could not be read.
    const { skipped: skippedDuplicates, ...counts } = report;
    context.stdout.write(renderJson({ index: folder, seconds, ...counts, skippedDuplicates, skipped }));
    return;
  }
  context.stderr.write(renderSkipped(skipped, options.verbose === true));
  context.stdout.write(summary(report, folder, seconds));
  if (report.generation === 1) {
    const place = options.index === undefined ? "" : ` --index ${options.index}`;
    context.stderr.write(`ask it: maxsim search "your question"${place}\n`);
  }
}

function inputOptions({ format, id }: IndexCommandOptions): StandardInputOptions {
  return { ...(format === undefined ? {} : { format }), ...(id === undefined ? {} : { id }) };
}

/** Errors: INVALID_ARGUMENT for options of standard input without it. */
function checkInputOptions(paths: readonly string[], { format, id }: IndexCommandOptions): void {
  if (paths.includes(STANDARD_INPUT)) return;
  const option = format !== undefined ? "--format" : id !== undefined ? "--id" : undefined;
  if (option === undefined) return;
  throw new MaxsimError("INVALID_ARGUMENT", `${option} is for standard input, which is not among the paths`, {
    hint: 'Name it as "-".',
  });
}

function buildOptions(options: IndexCommandOptions, context: CommandContext): Omit<BuildOptions, "origin"> {
  const { model, nbits, lexical, seed, threads, onDuplicate } = options;
  const { signal } = context;
  const logger = commandLogger(context, options);
  return {
    model,
    nbits,
    lexical,
    seed,
    threads,
    signal,
    logger,
    ...(onDuplicate === undefined ? {} : { onDuplicate }),
  };
}

function summary(report: AddReport, folder: string, seconds: number): string {
  const { documents, passages, tokens, replaced, emptyPassages, generation, resumed } = report;
  const { superseded, skipped } = report;
  const rows = [
    ...(replaced > 0 ? [["replaced", formatNumber(replaced)]] : []),
    ...(superseded > 0
      ? [["superseded", `${formatCount(superseded, "document")} by a later one of the same id`]]
      : []),
    ...(skipped > 0 ? [["skipped", `${formatCount(skipped, "document")} whose id was taken`]] : []),
    ["passages", formatNumber(passages)],
    ...(emptyPassages > 0 ? [["without words", formatNumber(emptyPassages)]] : []),
    ...(resumed > 0
      ? [["resumed", `${formatNumber(resumed)} of ${formatNumber(passages)} passages were encoded before`]]
      : []),
    ["token vectors", formatNumber(tokens)],
    ["index", `${shownPath(folder)} (generation ${formatNumber(generation)})`],
  ];
  const table = renderTable(rows.map((row) => ["", ...row]));
  return `indexed ${formatCount(documents, "document")} in ${formatDuration(seconds)}\n${table}`;
}
