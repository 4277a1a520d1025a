/** `maxsim index`: the command line of it. */
import type { Command } from "commander";
import type { OnDuplicate } from "../../documents/staging.js";
import { type OutputOptions, withIndexOption, withOutputOptions } from "../common-options.js";
import type { CommandContext } from "../context.js";
import { choiceOption, integerOption } from "../option-values.js";

export interface IndexCommandOptions extends OutputOptions {
  readonly index?: string;
  readonly model?: string;
  readonly nbits?: 1 | 2 | 4;
  readonly seed?: number;
  readonly threads?: number;
  readonly onDuplicate?: OnDuplicate;
  readonly textColumn?: string;
  readonly idColumn?: string;
  readonly titleColumn?: string;
  readonly skipInvalid?: boolean;
  readonly hidden?: boolean;
  /** Commander's form of --no-gitignore. */
  readonly gitignore: boolean;
  readonly maxFileSize?: number;
}

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
      "--on-duplicate <what>",
      "replace, skip or error: what becomes of a document whose id is taken (default: replace)",
      choiceOption("--on-duplicate", ["replace", "skip", "error"]),
    )
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
    .action(async (paths: string[], options: IndexCommandOptions) => {
      const { indexPaths } = await import("../actions/index.js");
      await indexPaths(paths, options, context);
    });
}
