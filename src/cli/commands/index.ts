/** `maxsim index`: the command line of it. */
import type { Command } from "commander";
import { STREAM_FORMATS, type StreamFormat } from "../../datasets/stream-format.js";
import type { OnDuplicate } from "../../documents/staging.js";
import { LEXICAL_KINDS, type LexicalKind } from "../../lexical/types.js";
import { type OutputOptions, withIndexOption, withOutputOptions } from "../common-options.js";
import type { CommandContext } from "../context.js";
import { choiceOption, integerOption } from "../option-values.js";
import { type ReadingCommandOptions, withReadingOptions } from "../reading-options.js";
import { DEFAULT_STREAM_FORMAT, DEFAULT_STREAM_ID } from "../standard-input-options.js";

export interface IndexCommandOptions extends OutputOptions, ReadingCommandOptions {
  readonly index?: string;
  readonly model?: string;
  readonly nbits?: 1 | 2 | 4;
  readonly lexical?: LexicalKind;
  readonly seed?: number;
  readonly threads?: number;
  readonly onDuplicate?: OnDuplicate;
  /** Commander's form of --no-gitignore. */
  readonly gitignore: boolean;
  /** Of standard input. */
  readonly format?: StreamFormat;
  readonly id?: string;
}

export function registerIndex(program: Command, context: CommandContext): void {
  const command = program
    .command("index")
    .description("read files and folders into an index; documents of the same id are replaced")
    .argument(
      "<paths...>",
      "files and folders: text, Markdown, HTML, PDF, Word, EPUB, notebooks, code, JSONL, CSV, Parquet; - is standard input",
    );
  withIndexOption(command)
    .option("--model <name>", "bundled model, folder, or Hugging Face id (default: the bundled model)")
    .option(
      "--nbits <bits>",
      "bits for each residual component: 1, 2 or 4 (default: 4)",
      choiceOption("--nbits", [1, 2, 4]),
    )
    .option(
      "--lexical <kind>",
      "how words are found: english, words (other languages), trigrams (without spaces), off (default: english)",
      choiceOption("--lexical", LEXICAL_KINDS),
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
    );
  withReadingOptions(command, false)
    .option(
      "--format <format>",
      `what standard input ("-") holds: ${STREAM_FORMATS.join(", ")} (default: ${DEFAULT_STREAM_FORMAT})`,
      choiceOption("--format", STREAM_FORMATS),
    )
    .option("--id <id>", `id of a text from standard input (default: ${DEFAULT_STREAM_ID})`);
  withOutputOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  maxsim index ~/notes
  maxsim index docs README.md --index ./docs-index --nbits 2
  maxsim index products.csv --text-column description \\
    --id-column sku
  maxsim index ~/papers --include "*.pdf" --exclude drafts/
  generate-records | maxsim index -
  maxsim index - --format text --id today < notes.txt`,
    )
    .action(async (paths: string[], options: IndexCommandOptions) => {
      const { indexPaths } = await import("../actions/index.js");
      await indexPaths(paths, options, context);
    });
}
