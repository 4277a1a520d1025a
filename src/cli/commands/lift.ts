/** `maxsim lift`: the command line of it. */
import type { Command } from "commander";
import { MaxsimError } from "../../common/errors.js";
import { MAX_K, type SearchMode } from "../../engine/options.js";
import { type OutputOptions, withOutputOptions } from "../common-options.js";
import type { CommandContext } from "../context.js";
import { choiceOption, integerOption, MAX_COUNT } from "../option-values.js";
import { rerankerOption } from "../reranker-options.js";
import {
  checkInput,
  type EvalIndexOptions,
  type EvalInputOptions,
  withIndexOptions,
  withInputOptions,
} from "./eval.js";

export interface LiftCommandOptions extends OutputOptions, EvalInputOptions, EvalIndexOptions {
  readonly with?: readonly string[];
  readonly first?: SearchMode;
  /** A TREC run, instead of a search. */
  readonly run?: string;
  readonly depths: readonly number[];
  /** Queries to take times of. */
  readonly latency: number;
  /** Of the randomization test. */
  readonly seed: number;
  readonly onFailure: "error" | "first-stage";
  readonly markdown?: boolean;
}

const DEFAULT_DEPTHS: readonly number[] = [10, 20, 50, 100, 200];
const DEFAULT_LATENCY = 20;
const DEFAULT_SEED = 42;

export function registerLift(program: Command, context: CommandContext): void {
  const command = program
    .command("lift")
    .description("measure whether reranking is worth it, on queries with judgements")
    .argument("[folder]", "a BEIR folder: corpus.jsonl, queries.jsonl, qrels/*.tsv");
  command
    .option("--with <reranker>", "may be given several times (default: late, by stored vectors)", collect)
    .option(
      "--first <mode>",
      "first stage: lexical, late or hybrid (default: lexical)",
      choiceOption("--first", ["lexical", "late", "hybrid"]),
    )
    .option("--run <file>", "take a TREC run as the first stage")
    .option("--depths <list>", "candidates to rerank", depthsOption, DEFAULT_DEPTHS);
  withIndexOptions(withInputOptions(command))
    .option(
      "--latency <number>",
      "queries to take times of at every depth, one at a time",
      integerOption("--latency", 0, MAX_COUNT),
      DEFAULT_LATENCY,
    )
    .option(
      "--seed <number>",
      "of the randomization test",
      integerOption("--seed", 0, 0xffffffff),
      DEFAULT_SEED,
    )
    .option(
      "--on-failure <what>",
      "error, or first-stage: where ranking fails, its order stays",
      choiceOption("--on-failure", ["error", "first-stage"]),
      "error",
    )
    .option("--markdown", "print the report as Markdown");
  withOutputOptions(command)
    .addHelpText(
      "after",
      `
Rerankers: late[:model], cross-encoder:model,
cohere[:model], jina[:model], voyage[:model], tei:url,
llm:model, llm-pairwise:model, llm-pointwise:model, and
chains such as late@100+cross-encoder:model@20.

One that scores each document by itself ranks the greatest
depth once; times are taken at every depth. Others, such
as llm and chains, rank every query at every depth.

Examples:
  maxsim lift scifact
  maxsim lift scifact --with late \\
    --with cross-encoder:./my-model --depths 20,50
  maxsim lift scifact --first hybrid --limit 100
  maxsim lift scifact --run bm25.trec --with cohere
  maxsim lift --index ./papers --markdown`,
    )
    .action(async (folder: string | undefined, options: LiftCommandOptions) => {
      checkUsage(folder, options);
      const { liftCollection } = await import("../actions/lift.js");
      await liftCollection(folder, options, context);
    });
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, rerankerOption("--with")(value.trim())];
}

function depthsOption(text: string): readonly number[] {
  const depth = integerOption("--depths", 1, MAX_K);
  return [...new Set(text.split(",").map((part) => depth(part.trim())))].sort((a, b) => a - b);
}

function checkUsage(folder: string | undefined, options: LiftCommandOptions): void {
  checkInput(folder, options, true);
  const { first, run, json, markdown, with: names = [] } = options;
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  const problem =
    first !== undefined && run !== undefined
      ? "give either --first or --run"
      : json === true && markdown === true
        ? "give either --json or --markdown"
        : twice !== undefined
          ? `--with ${twice} is given twice`
          : undefined;
  if (problem === undefined) return;
  throw new MaxsimError("INVALID_ARGUMENT", problem, {
    hint: "For example: maxsim lift scifact --with late --with cross-encoder:./my-model",
  });
}
