import type { Command } from "commander";
import type { AddReport } from "../../engine/options.js";
import { type BuildOptions, buildIndex } from "../build-index.js";
import { commandLogger, type OutputOptions, withIndexOption, withOutputOptions } from "../common-options.js";
import { type CommandContext, indexFolder, shownPath } from "../context.js";
import { choiceOption, integerOption } from "../option-values.js";
import { commandCorpus, renderSkipped } from "../read-corpus.js";
import { formatCount, formatDuration, formatNumber } from "../render/format.js";
import { renderJson } from "../render/json.js";
import { ProgressRenderer } from "../render/progress.js";
import { renderTable } from "../render/table.js";

interface IndexCommandOptions extends OutputOptions {
  readonly index?: string;
  readonly model?: string;
  readonly nbits?: 1 | 2 | 4;
  readonly seed?: number;
  readonly threads?: number;
  readonly textColumn?: string;
  readonly idColumn?: string;
  readonly titleColumn?: string;
  readonly skipInvalid?: boolean;
  readonly hidden?: boolean;
  /** Commander's form of --no-gitignore. */
  readonly gitignore: boolean;
  readonly maxFileSize?: number;
}

const MIB = 1 << 20;

export function registerIndex(program: Command, context: CommandContext): void {
  const command = program
    .command("index")
    .description("read files and folders into an index; documents of the same id are replaced")
    .argument(
      "<paths...>",
      "files and folders: Markdown, text, reStructuredText, HTML, code, JSONL, CSV, TSV, BEIR",
    );
  withIndexOption(command)
    .option("--model <name>", "bundled model, folder, or Hugging Face id (default: the bundled model)")
    .option(
      "--nbits <bits>",
      "bits for each residual component: 1, 2 or 4 (default: 4)",
      choiceOption("--nbits", [1, 2, 4]),
    )
    .option(
      "--seed <number>",
      "seed of sampling and clustering (default: 42)",
      integerOption("--seed", 0, 0xffffffff),
    )
    .option("--threads <number>", "threads to encode with (default: all)", integerOption("--threads", 1, 256))
    .option(
      "--text-column <name>",
      "column of CSV and TSV files, or field of JSONL records, that holds the text",
    )
    .option("--id-column <name>", "column or field that holds the id")
    .option("--title-column <name>", "column or field that holds the title")
    .option("--skip-invalid", "count malformed records instead of stopping at the first")
    .option("--hidden", "read hidden files and folders as well")
    .option("--no-gitignore", "read what .gitignore files leave out as well")
    .option(
      "--max-file-size <MiB>",
      "skip larger files, but for JSONL, CSV and TSV (default: 10)",
      integerOption("--max-file-size", 1, 476),
    );
  withOutputOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  maxsim index ~/notes
  maxsim index docs README.md --index ./docs-index --nbits 2
  maxsim index products.csv --text-column description \\
    --id-column sku`,
    )
    .action((paths: string[], options: IndexCommandOptions) => indexPaths(paths, options, context));
}

async function indexPaths(
  paths: readonly string[],
  options: IndexCommandOptions,
  context: CommandContext,
): Promise<void> {
  const started = performance.now();
  const folder = indexFolder(options.index);
  const { textColumn, idColumn, titleColumn, skipInvalid, hidden, gitignore, maxFileSize } = options;
  const { documents, skipped } = commandCorpus(paths, folder, {
    gitignore,
    signal: context.signal,
    ...(textColumn === undefined ? {} : { textColumn }),
    ...(idColumn === undefined ? {} : { idColumn }),
    ...(titleColumn === undefined ? {} : { titleColumn }),
    ...(skipInvalid === undefined ? {} : { skipInvalid }),
    ...(hidden === undefined ? {} : { hidden }),
    ...(maxFileSize === undefined ? {} : { maxFileSize: maxFileSize * MIB }),
  });
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
      onProgress: (event) => {
        if (!quiet) progress.update(event);
      },
    });
  } finally {
    progress.finish();
  }
  const seconds = (performance.now() - started) / 1000;
  if (json) {
    context.stdout.write(renderJson({ index: folder, seconds, ...report, skipped }));
    return;
  }
  context.stderr.write(renderSkipped(skipped, options.verbose === true));
  context.stdout.write(summary(report, folder, seconds));
  if (report.generation === 1) {
    const place = options.index === undefined ? "" : ` --index ${options.index}`;
    context.stderr.write(`ask it: maxsim search "your question"${place}\n`);
  }
}

function buildOptions(options: IndexCommandOptions, context: CommandContext): BuildOptions {
  const { model, nbits, seed, threads } = options;
  return { model, nbits, seed, threads, signal: context.signal, logger: commandLogger(context, options) };
}

function summary(report: AddReport, folder: string, seconds: number): string {
  const { documents, passages, tokens, replaced, emptyPassages, generation } = report;
  const rows = [
    ...(replaced > 0 ? [["replaced", formatNumber(replaced)]] : []),
    ["passages", formatNumber(passages)],
    ...(emptyPassages > 0 ? [["without words", formatNumber(emptyPassages)]] : []),
    ["token vectors", formatNumber(tokens)],
    ["index", `${shownPath(folder)} (generation ${formatNumber(generation)})`],
  ];
  const table = renderTable(rows.map((row) => ["", ...row]));
  return `indexed ${formatCount(documents, "document")} in ${formatDuration(seconds)}\n${table}`;
}
