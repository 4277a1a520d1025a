/** `maxsim distill`: the command line of it. */
import { type Command, Option } from "commander";
import { MaxsimError } from "../../common/errors.js";
import { DEFAULT_FORMATS, TRAINING_FORMATS, type TrainingFormat } from "../../distillation/types.js";
import type { SearchMode } from "../../engine/options.js";
import { type OutputOptions, withOutputOptions } from "../common-options.js";
import { type CommandContext, DEFAULT_INDEX } from "../context.js";
import { choiceOption, integerOption, MAX_COUNT, numberOption } from "../option-values.js";
import { rerankerOption } from "../reranker-options.js";

export interface DistillCommandOptions extends OutputOptions {
  readonly out?: string;
  readonly teacher?: string;
  readonly secondTeacher?: string;
  readonly queries?: string;
  readonly queriesFrom?: "titles";
  readonly depth: number;
  readonly mode?: SearchMode;
  readonly formats: readonly TrainingFormat[];
  readonly negatives: number;
  readonly minMargin: number;
  readonly ways?: number;
  readonly limit?: number;
  readonly seed: number;
  readonly concurrency: number;
  readonly model?: string;
  readonly threads?: number;
  readonly restart?: boolean;
}

export function registerDistill(program: Command, context: CommandContext): void {
  const command = program
    .command("distill")
    .description("make training data for a cheap ranker out of the order of an expensive one")
    .argument("[index]", "folder of the index", DEFAULT_INDEX)
    .option("--out <dir>", "where the training data goes; an earlier run there is gone on with")
    .option("--teacher <reranker>", "whose order is taught", rerankerOption("--teacher"))
    .option(
      "--second-teacher <reranker>",
      "ranks the same candidates, to see how far both agree",
      rerankerOption("--second-teacher"),
    )
    .option("--queries <file>", "JSONL as in BEIR, lines of id<TAB>text, or .txt with a query a line")
    .option(
      "--queries-from <what>",
      "titles: made from titles and headings (default, without --queries)",
      choiceOption("--queries-from", ["titles"]),
    )
    .option("--depth <number>", "candidates of a query", integerOption("--depth", 2, 1000), 50)
    .option(
      "--mode <mode>",
      "of the first stage: late, lexical or hybrid (default: hybrid)",
      choiceOption("--mode", ["late", "lexical", "hybrid"]),
    )
    .addOption(
      new Option("--formats <list>", `of ${TRAINING_FORMATS.join(", ")}`)
        .argParser(formatsOption)
        .default(DEFAULT_FORMATS, DEFAULT_FORMATS.join(",")),
    )
    .option("--negatives <number>", "of a query at most", integerOption("--negatives", 1, 999), 5)
    .option(
      "--min-margin <share>",
      "how far negatives are below the positive, 0 to 1",
      numberOption("--min-margin", 0, 1),
      0.05,
    )
    .option(
      "--ways <number>",
      "of kd: documents of a row (default: 32, or what 9 of 10 queries have)",
      integerOption("--ways", 2, 1000),
    )
    .option("--limit <number>", "queries at most", integerOption("--limit", 1, MAX_COUNT))
    .option("--seed <number>", "of what is sampled", integerOption("--seed", 0, 0xffffffff), 42)
    .option(
      "--concurrency <number>",
      "queries under way at the same time",
      integerOption("--concurrency", 1, 256),
      4,
    )
    .option("--model <name>", "where the model of the index is now (default: where it was)")
    .option("--threads <number>", "threads to use (default: all)", integerOption("--threads", 1, 256))
    .option("--restart", "throw away what an earlier run has ranked");
  withOutputOptions(command)
    .addHelpText(
      "after",
      `
Teachers: late[:model], cross-encoder:model,
cohere[:model], jina[:model], voyage[:model], tei:url,
llm:model, llm-pairwise:model, llm-pointwise:model, and
chains such as late@100+cross-encoder:model@20.

Every ranking is kept at once in <out>/rankings.jsonl:
the same command goes on after Ctrl-C and asks nothing
twice. --formats, --negatives, --min-margin, --ways and
--limit can change without asking the teacher again.

Examples:
  maxsim distill ./papers --out train \\
    --teacher cross-encoder:./my-model
  maxsim distill ./papers --out train --limit 500 \\
    --teacher llm:gpt-4.1-mini --queries questions.txt
  maxsim distill ./papers --out train --depth 100 \\
    --teacher cohere --formats triplets,n-tuples,kd`,
    )
    .action(async (index: string, options: DistillCommandOptions) => {
      checkUsage(options);
      const { distillIndex } = await import("../actions/distill.js");
      await distillIndex(index, options, context);
    });
}

function formatsOption(text: string): readonly TrainingFormat[] {
  const format = choiceOption<TrainingFormat>("--formats", TRAINING_FORMATS);
  return [...new Set(text.split(",").map((name) => format(name.trim())))];
}

function checkUsage({ out, teacher, queries, queriesFrom, ways, depth }: DistillCommandOptions): void {
  const problem =
    out === undefined
      ? "--out DIR is missing"
      : teacher === undefined
        ? "--teacher RERANKER is missing"
        : queries !== undefined && queriesFrom !== undefined
          ? "give either --queries or --queries-from"
          : ways !== undefined && ways > depth
            ? `--ways ${ways} is more than the ${depth} candidates of --depth`
            : undefined;
  if (problem === undefined) return;
  throw new MaxsimError("INVALID_ARGUMENT", problem, {
    hint: "For example: maxsim distill ./papers --out train --teacher cross-encoder:./my-model",
  });
}
