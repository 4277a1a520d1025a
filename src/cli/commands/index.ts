import { relative } from "node:path";
import type { Command } from "commander";
import { isMaxsimError, MaxsimError } from "../../common/errors.js";
import { type CorpusOptions, readCorpus } from "../../datasets/corpus.js";
import type { DocumentInput } from "../../documents/types.js";
import { discardEmptyIndex } from "../../engine/discard.js";
import { Index } from "../../engine/index.js";
import type { AddReport } from "../../engine/options.js";
import { type CommandContext, indexFolder } from "../context.js";
import { integerOption } from "../integer-option.js";
import { formatDuration, formatNumber } from "../render/format.js";
import { renderJson } from "../render/json.js";
import { ProgressRenderer } from "../render/progress.js";

interface IndexCommandOptions {
  readonly index?: string;
  readonly model?: string;
  readonly nbits?: number;
  readonly seed?: number;
  readonly threads?: number;
  readonly textColumn?: string;
  readonly idColumn?: string;
  readonly titleColumn?: string;
  readonly skipInvalid?: boolean;
  readonly hidden?: boolean;
  readonly verbose?: boolean;
  readonly json?: boolean;
}

/** What was read besides documents. */
interface Skipped {
  readonly files: Array<{ readonly path: string; readonly reason: string }>;
  readonly records: Array<{ readonly path: string; readonly line: number; readonly reason: string }>;
}

const SHOWN_SKIPPED = 5;

export function registerIndex(program: Command, context: CommandContext): void {
  program
    .command("index")
    .description("read files and folders into an index; documents of the same id are replaced")
    .argument(
      "<paths...>",
      "files and folders: Markdown, text, reStructuredText, HTML, code, JSONL, CSV, TSV, BEIR",
    )
    .option("--index <dir>", "folder of the index (default: index-data/default)")
    .option("--model <name>", "bundled model, folder, or Hugging Face id (default: the bundled model)")
    .option(
      "--nbits <bits>",
      "bits for each residual component: 1, 2 or 4 (default: 4)",
      integerOption("--nbits", 1, 4),
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
    .option("--verbose", "list every skipped file")
    .option("--json", "print one JSON object when done")
    .addHelpText(
      "after",
      `
Examples:
  maxsim index ~/notes
  maxsim index docs README.md --index ./docs-index --nbits 2
  maxsim index products.csv --text-column description --id-column sku`,
    )
    .action(async (paths: string[], options: IndexCommandOptions) => {
      const started = performance.now();
      const skipped: Skipped = { files: [], records: [] };
      const documents = await firstDocument(documentsOf(paths, options, skipped), paths, skipped);
      const folder = indexFolder(options.index);
      context.stderr.write(`index: ${folder}\n`);
      const report = await build(folder, documents, options, context);
      const seconds = (performance.now() - started) / 1000;
      context.stderr.write(renderSkipped(skipped, options.verbose === true));
      context.stdout.write(
        options.json === true
          ? renderJson({ index: folder, seconds, ...report, skipped })
          : summary(report, seconds),
      );
    });
}

async function* documentsOf(
  paths: readonly string[],
  options: IndexCommandOptions,
  skipped: Skipped,
): AsyncGenerator<DocumentInput> {
  const { textColumn, idColumn, titleColumn, skipInvalid, hidden } = options;
  const corpus: CorpusOptions = {
    ...(textColumn === undefined ? {} : { textColumn }),
    ...(idColumn === undefined ? {} : { idColumn }),
    ...(titleColumn === undefined ? {} : { titleColumn }),
    ...(skipInvalid === undefined ? {} : { skipInvalid }),
    ...(hidden === undefined ? {} : { hidden }),
  };
  for await (const item of readCorpus(paths, corpus)) {
    if (item.kind === "document") yield item.document;
    else if (item.kind === "skipped") skipped.files.push({ path: item.path, reason: item.reason });
    else skipped.records.push({ path: item.path, line: item.line, reason: item.reason });
  }
}

/** The same documents, once it is sure that there is one: a corpus without text leaves no index behind. */
async function firstDocument(
  documents: AsyncGenerator<DocumentInput>,
  paths: readonly string[],
  skipped: Skipped,
): Promise<AsyncIterable<DocumentInput>> {
  const first = await documents.next();
  if (first.done === true) {
    const { files, records } = skipped;
    const reasons = files.slice(0, SHOWN_SKIPPED).map(({ path, reason }) => `${path} (${reason})`);
    throw new MaxsimError(
      "EMPTY_CORPUS",
      `found no document to index in ${paths.join(", ")}: ${files.length} files skipped, ` +
        `${records.length} malformed records`,
      {
        hint:
          reasons.length === 0 ? "Name a folder or file that holds text." : `Skipped: ${reasons.join("; ")}.`,
      },
    );
  }
  return (async function* () {
    yield first.value;
    yield* documents;
  })();
}

async function build(
  folder: string,
  documents: AsyncIterable<DocumentInput>,
  options: IndexCommandOptions,
  context: CommandContext,
): Promise<AddReport> {
  const index = await openOrCreate(folder, options);
  const progress = new ProgressRenderer({ stream: context.stderr, env: context.env });
  try {
    return await index.add(documents, {
      signal: context.signal,
      onProgress: (event) => progress.update(event),
    });
  } finally {
    progress.finish();
    await index.close();
    // A build that did not get to its first commit leaves nothing behind that looks like an index.
    await discardEmptyIndex(folder);
  }
}

async function openOrCreate(folder: string, options: IndexCommandOptions): Promise<Index> {
  const { model, nbits, seed, threads } = options;
  const common = {
    ...(threads === undefined ? {} : { threads }),
    ...(model === undefined ? {} : { model }),
  };
  let index: Index;
  try {
    index = await Index.open(folder, common);
  } catch (error) {
    if (!isMaxsimError(error) || error.code !== "INDEX_NOT_FOUND") throw error;
    return Index.create(folder, {
      ...common,
      ...(nbits === undefined ? {} : { nbits: nbits as 1 | 2 | 4 }),
      ...(seed === undefined ? {} : { seed }),
    });
  }
  const found = index.info().nbits;
  if (nbits !== undefined && nbits !== found) {
    await index.close();
    throw new MaxsimError(
      "INVALID_ARGUMENT",
      `--nbits ${nbits}: the index ${folder} was made with ${found} bits`,
      {
        hint: "Leave --nbits out to add to this index, or name another folder with --index.",
      },
    );
  }
  return index;
}

function renderSkipped({ files, records }: Skipped, all: boolean): string {
  const lines: string[] = [];
  if (files.length > 0) {
    lines.push(`skipped ${formatNumber(files.length)} files`);
    const shown = all ? files : files.slice(0, SHOWN_SKIPPED);
    for (const { path, reason } of shown) lines.push(`  ${relative(".", path) || path}: ${reason}`);
    if (shown.length < files.length) {
      lines.push(`  and ${formatNumber(files.length - shown.length)} more (--verbose lists them)`);
    }
  }
  if (records.length > 0) {
    lines.push(`skipped ${formatNumber(records.length)} malformed records`);
    const shown = all ? records : records.slice(0, SHOWN_SKIPPED);
    for (const { path, line, reason } of shown)
      lines.push(`  ${relative(".", path) || path}:${line}: ${reason}`);
  }
  return lines.map((line) => `${line}\n`).join("");
}

function summary(report: AddReport, seconds: number): string {
  const { documents, passages, tokens, replaced, emptyPassages, generation } = report;
  const parts = [
    `${formatNumber(documents)} documents`,
    `${formatNumber(passages)} passages`,
    `${formatNumber(tokens)} token vectors`,
    ...(replaced > 0 ? [`${formatNumber(replaced)} replaced`] : []),
    ...(emptyPassages > 0 ? [`${formatNumber(emptyPassages)} passages without words`] : []),
  ];
  return `indexed ${parts.join(", ")} in ${formatDuration(seconds)} (generation ${generation})\n`;
}
