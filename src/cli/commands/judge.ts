/** `maxsim judge`: the command line of it. */
import type { Command } from "commander";
import { MaxsimError } from "../../common/errors.js";
import type { SearchMode } from "../../engine/options.js";
import { type OutputOptions, withIndexOption, withOutputOptions } from "../common-options.js";
import type { CommandContext } from "../context.js";
import { choiceOption, integerOption } from "../option-values.js";

export interface JudgeCommandOptions extends OutputOptions {
  readonly index?: string;
  readonly queries?: string;
  readonly modes?: readonly SearchMode[];
  readonly k: number;
  readonly list?: boolean;
  readonly model?: string;
  readonly threads?: number;
}

const MODES: readonly SearchMode[] = ["late", "lexical", "hybrid"];
const DEFAULT_K = 10;
const MAX_POOL = 1000;

export function registerJudge(program: Command, context: CommandContext): void {
  const command = program
    .command("judge")
    .description("say which answers are relevant, for maxsim eval --index")
    .argument("[query...]", "a question; without one, those that were judged before go on");
  withIndexOption(command)
    .option(
      "--queries <file>",
      "judge for every query of a file: BEIR queries.jsonl, or lines of id<TAB>text",
    )
    .option(
      "--modes <list>",
      "whose answers are judged, of late, lexical, hybrid (default: late,lexical)",
      modesOption,
    )
    .option("-k <number>", "answers of each mode", integerOption("-k", 1, MAX_POOL), DEFAULT_K)
    .option("--list", "show what was judged")
    .option("--model <name>", "where the model of the index is now (default: where it was)")
    .option("--threads <number>", "threads to score with (default: all)", integerOption("--threads", 1, 256));
  withOutputOptions(command)
    .addHelpText(
      "after",
      `
Answers, a key each on a terminal, a line each from a pipe:
  y n      relevant, not relevant (the grades 1 and 0)
  0 1 2 3  grades
  s u q    skip for now, undo, quit

The answers of several modes come mixed, so that it cannot
be seen which one found them. Each judgement is kept at once
in <index>/judgements, as BEIR files; what was judged is not
asked again.

Examples:
  maxsim judge "how do I cancel a task?" --index ./docs
  maxsim judge --queries questions.tsv -k 20
  maxsim judge --list
  maxsim eval --index ./docs`,
    )
    .action(async (words: string[], options: JudgeCommandOptions) => {
      checkUsage(words, options);
      const { judge, listJudgements } = await import("../actions/judge.js");
      await (options.list === true ? listJudgements(options, context) : judge(words, options, context));
    });
}

function modesOption(text: string): readonly SearchMode[] {
  const mode = choiceOption<SearchMode>("--modes", MODES);
  return [...new Set(text.split(",").map((name) => mode(name.trim())))];
}

function checkUsage(words: readonly string[], { queries, list }: JudgeCommandOptions): void {
  const problem =
    queries !== undefined && words.length > 0
      ? "give either a query or --queries, not both"
      : list === true && (queries !== undefined || words.length > 0)
        ? "--list goes with --index alone"
        : words.length > 0 && words.join(" ").trim() === ""
          ? "the query is empty"
          : undefined;
  if (problem === undefined) return;
  throw new MaxsimError("INVALID_ARGUMENT", problem, { hint: 'For example: maxsim judge "your question"' });
}
