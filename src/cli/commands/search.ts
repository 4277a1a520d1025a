/** `maxsim search`: the command line of it. */
import type { Command } from "commander";
import { MaxsimError } from "../../common/errors.js";
import { DEFAULT_K, MAX_K } from "../../engine/options.js";
import type { SearchEffort } from "../../search/parameters.js";
import { type OutputOptions, withIndexOption, withOutputOptions } from "../common-options.js";
import type { CommandContext } from "../context.js";
import { choiceOption, integerOption } from "../option-values.js";

export interface SearchCommandOptions extends OutputOptions {
  readonly index?: string;
  readonly k: number;
  readonly effort?: SearchEffort;
  readonly model?: string;
  readonly threads?: number;
  readonly queries?: string;
  readonly run?: string;
  readonly explain?: boolean;
}

export function registerSearch(program: Command, context: CommandContext): void {
  const command = program
    .command("search")
    .description("ask an index a question; without one, on a terminal, ask many")
    .argument("[query...]", "the question, in natural language");
  withIndexOption(command)
    .option("-k <number>", "hits to show", integerOption("-k", 1, MAX_K), DEFAULT_K)
    .option(
      "--effort <level>",
      "fast, balanced or exact (default: balanced)",
      choiceOption("--effort", ["fast", "balanced", "exact"]),
    )
    .option("--model <name>", "where the model of the index is now (default: where it was)")
    .option("--threads <number>", "threads to score with (default: all)", integerOption("--threads", 1, 256))
    .option("--queries <file>", "answer every query of a file: BEIR queries.jsonl, or lines of id<TAB>text")
    .option("--run <file>", "with --queries: where to write the TREC run (qid Q0 docid rank score tag)")
    .option("--explain", "show what each stage saw, kept and cost");
  withOutputOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  maxsim search "how do I cancel a running task?"
  maxsim search "vitamin D and bones" --index ./papers -k 5
  maxsim search "vitamin D and bones" --json --explain
  maxsim search --queries queries.jsonl --run run.trec \\
    -k 100 --index ./papers`,
    )
    .action(async (words: string[], options: SearchCommandOptions) => {
      checkUsage(words, options, context);
      const { search } = await import("../actions/search.js");
      await search(words, options, context);
    });
}

function checkUsage(words: readonly string[], options: SearchCommandOptions, context: CommandContext): void {
  const { queries, run, explain } = options;
  const problem =
    queries !== undefined && words.length > 0
      ? "give either a query or --queries, not both"
      : queries !== undefined && run === undefined
        ? "--queries needs --run FILE for its answers"
        : run !== undefined && queries === undefined
          ? "--run goes with --queries FILE"
          : queries !== undefined && explain === true
            ? "--explain goes with one query, not with --queries"
            : queries === undefined && words.length === 0 && context.stdin.isTTY !== true
              ? "a query is missing"
              : words.length > 0 && words.join(" ").trim() === ""
                ? "the query is empty"
                : undefined;
  if (problem === undefined) return;
  throw new MaxsimError("INVALID_ARGUMENT", problem, {
    hint: 'For example: maxsim search "your question"',
  });
}
