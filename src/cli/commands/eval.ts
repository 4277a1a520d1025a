/** `maxsim eval` and `maxsim eval sweep`: the command lines of them. */
import type { Command } from "commander";
import { MaxsimError } from "../../common/errors.js";
import { MAX_K } from "../../engine/options.js";
import { type EvaluateOptions, parseMetric } from "../../evaluation/evaluate.js";
import { type GridPoint, parseGrid } from "../../evaluation/grid.js";
import type { SearchEffort } from "../../search/parameters.js";
import { type OutputOptions, withOutputOptions } from "../common-options.js";
import { type CommandContext, DEFAULT_INDEX } from "../context.js";
import { choiceOption, integerOption, MAX_COUNT } from "../option-values.js";
import { EVAL_MODES, type EvalMode } from "./eval-modes.js";

/** Where queries, judgements and documents come from. */
export interface EvalInputOptions {
  readonly queries?: string;
  readonly qrels?: string;
  readonly corpus?: string;
  readonly split?: string;
  readonly limit?: number;
}

/** The index that is searched, and how it is made. */
export interface EvalIndexOptions {
  readonly index?: string;
  readonly model?: string;
  readonly nbits?: 1 | 2 | 4;
  readonly threads?: number;
}

export interface EvalCommandOptions extends OutputOptions, EvalInputOptions, EvalIndexOptions {
  readonly modes?: readonly EvalMode[];
  readonly run?: readonly string[];
  readonly k: number;
  readonly effort?: SearchEffort;
  readonly lexicalCandidates: number;
  readonly fusion?: "rrf" | "scores";
  readonly alpha?: number;
  readonly metrics?: readonly string[];
  readonly baseline?: string;
  readonly missing: NonNullable<EvaluateOptions["missing"]>;
  readonly runDir?: string;
  /** Queries to take times of. */
  readonly latency: number;
  readonly perQuery?: boolean;
}

export interface SweepCommandOptions extends OutputOptions, EvalInputOptions, EvalIndexOptions {
  readonly grid?: readonly (readonly GridPoint[])[];
  readonly metric: string;
  readonly out?: string;
  readonly latency: number;
}

/** Enough for Recall@100. */
const DEFAULT_DEPTH = 100;
const DEFAULT_LATENCY = 100;
const DEFAULT_LEXICAL_CANDIDATES = 200;

export function registerEval(program: Command, context: CommandContext): void {
  const command = program
    .command("eval")
    .description("measure how good the answers are, on queries with judgements")
    .argument("[folder]", "a BEIR folder: corpus.jsonl, queries.jsonl, qrels/*.tsv")
    // What stands after "sweep" belongs to it.
    .enablePositionalOptions()
    .passThroughOptions(false);
  withIndexOptions(withInputOptions(command))
    .option("--modes <list>", `of ${EVAL_MODES.join(", ")} (default: all)`, modesOption)
    .option("--run <file>", "evaluate a TREC run instead; may be given several times", collect)
    .option("-k <number>", "documents asked for", integerOption("-k", 1, MAX_K), DEFAULT_DEPTH)
    .option(
      "--effort <level>",
      "fast, balanced or exact (default: balanced)",
      choiceOption("--effort", ["fast", "balanced", "exact"]),
    )
    .option(
      "--lexical-candidates <number>",
      "passages that BM25 adds in late+lexical",
      integerOption("--lexical-candidates", 1, MAX_K),
      DEFAULT_LEXICAL_CANDIDATES,
    )
    .option("--fusion <method>", "of hybrid: rrf or scores", choiceOption("--fusion", ["rrf", "scores"]))
    .option("--alpha <number>", "of hybrid: weight of late interaction, 0 to 1", fractionOption("--alpha"))
    .option("--metrics <list>", "such as nDCG@10,MRR@10,Judged@10", metricsOption)
    .option("--baseline <name>", "what the others are compared with (default: lexical, else the first)")
    .option(
      "--missing <what>",
      "zero or skip: judged queries that a run lacks (trec_eval: with or without -c)",
      choiceOption("--missing", ["zero", "skip"]),
      "zero",
    )
    .option("--run-dir <dir>", "write what was found as TREC runs, one file a mode")
    .option(
      "--latency <number>",
      "queries to take times of, one at a time",
      integerOption("--latency", 0, MAX_COUNT),
      DEFAULT_LATENCY,
    )
    .option("--per-query", "with --json: the metrics of every query as well");
  withOutputOptions(command)
    .addHelpText(
      "after",
      `
Without a folder and --qrels, the judgements of maxsim judge
are used, which lie beside the index.

The index is built below index-data/eval and used again
while corpus, model and options stay the same.

Examples:
  maxsim eval scifact --run-dir runs
  maxsim eval scifact --modes late,hybrid --limit 50
  maxsim eval --queries q.jsonl --qrels qrels.tsv \\
    --index ./papers
  maxsim eval scifact --run other.trec
  maxsim eval --index ./papers
  maxsim eval sweep scifact --out sweep

maxsim eval sweep has most of these options, and:
  --grid <grid>      such as 'nprobe=1,2,4;refine=128,512'
  --metric <name>    what is drawn against time
  --out <dir>        where sweep.svg, .md and .json go`,
    )
    .action(async (folder: string | undefined, options: EvalCommandOptions) => {
      checkUsage(folder, options);
      const { evaluateCollection } = await import("../actions/eval.js");
      await evaluateCollection(folder, options, context);
    });
  registerSweep(command, context);
}

function registerSweep(parent: Command, context: CommandContext): void {
  const command = parent
    .command("sweep")
    .description("try parameters and draw quality against time")
    .argument("[folder]", "a BEIR folder");
  withIndexOptions(withInputOptions(command))
    .option(
      "--grid <grid>",
      "what to try, such as 'nprobe=1,2,4;refine=128,512'; may be given several times",
      (text: string, before: readonly (readonly GridPoint[])[] = []) => [...before, parseGrid(text)],
    )
    .option(
      "--metric <name>",
      "drawn against time; Exact@10 is the share of the exhaustive first 10",
      sweepMetric,
      "nDCG@10",
    )
    .option("--out <dir>", "where sweep.svg, sweep.md and sweep.json go (default: below index-data/eval)")
    .option(
      "--latency <number>",
      "queries to take times of, one at a time",
      integerOption("--latency", 1, MAX_COUNT),
      DEFAULT_LATENCY,
    );
  withOutputOptions(command)
    .addHelpText(
      "after",
      `
Parameters of a grid: mode, effort, nprobe, approximate,
refine, margin, rescore, router, exhaustiveTokens, nbits,
lexicalCandidates, method, alpha and depth.

Examples:
  maxsim eval sweep scifact
  maxsim eval sweep scifact --out sweep \\
    --grid 'nprobe=1,2,4;refine=64,256' \\
    --grid 'mode=hybrid;alpha=0.2,0.5,0.8'
  maxsim eval sweep scifact --grid 'nbits=1,2,4' \\
    --metric Exact@10`,
    )
    .action(async (folder: string | undefined, options: SweepCommandOptions) => {
      checkInput(folder, options, true);
      const { sweepCollection } = await import("../actions/eval-sweep.js");
      await sweepCollection(folder, options, context);
    });
}

/** Options of queries, judgements and documents. */
export function withInputOptions(command: Command): Command {
  return command
    .option("--queries <file>", "queries: JSONL as in BEIR, or lines of id<TAB>text")
    .option("--qrels <file>", "judgements: BEIR (.tsv) or TREC (qid 0 docid grade)")
    .option("--corpus <path>", "documents to build the index from: a file or folder")
    .option("--split <name>", "which of qrels/*.tsv (default: test)")
    .option("--limit <number>", "queries at most, the first by id", integerOption("--limit", 1, MAX_COUNT));
}

/** Options of the index. */
export function withIndexOptions(command: Command): Command {
  return command
    .option(
      "--index <dir>",
      `the index; built where there is none (default: ${DEFAULT_INDEX}, or below index-data/eval)`,
    )
    .option("--model <name>", "bundled model, folder, or Hugging Face id (default: the bundled model)")
    .option(
      "--nbits <bits>",
      "bits for each residual component: 1, 2 or 4 (default: 4)",
      choiceOption("--nbits", [1, 2, 4]),
    )
    .option("--threads <number>", "threads to use (default: all)", integerOption("--threads", 1, 256));
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function modesOption(text: string): readonly EvalMode[] {
  const mode = choiceOption<EvalMode>("--modes", EVAL_MODES);
  return [...new Set(text.split(",").map((name) => mode(name.trim())))];
}

function metricsOption(text: string): readonly string[] {
  return [...new Set(text.split(",").map((name) => parseMetric(name).name))];
}

/** A metric by its usual name, or Exact@10. */
function sweepMetric(text: string): string {
  return text.toLowerCase() === "exact@10" ? "Exact@10" : parseMetric(text).name;
}

function fractionOption(name: string): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^(?:\d+\.?\d*|\.\d+)$/.test(text) && value <= 1) return value;
    throw new MaxsimError(
      "INVALID_ARGUMENT",
      `${name} takes a number from 0 to 1, found ${JSON.stringify(text)}`,
    );
  };
}

/** `searched`: whether an index is searched, for which texts of queries are needed. Errors: INVALID_ARGUMENT. */
export function checkInput(
  folder: string | undefined,
  options: EvalInputOptions & EvalIndexOptions,
  searched: boolean,
): void {
  const { queries, qrels, corpus, split, index } = options;
  const apart = folder === undefined && qrels !== undefined;
  const problem =
    folder === undefined && queries !== undefined && qrels === undefined
      ? "--queries needs --qrels FILE, or a BEIR folder"
      : folder === undefined && split !== undefined
        ? "--split goes with a BEIR folder"
        : qrels !== undefined && split !== undefined
          ? "give one of --split and --qrels"
          : folder !== undefined && corpus !== undefined
            ? "give either a BEIR folder or --corpus"
            : folder === undefined && qrels === undefined && corpus !== undefined
              ? "--corpus needs --queries and --qrels"
              : searched && apart && queries === undefined
                ? "--qrels needs --queries FILE to search for, or with maxsim eval --run FILE"
                : searched && apart && corpus === undefined && index === undefined
                  ? "--queries and --qrels need --index DIR or --corpus PATH"
                  : undefined;
  if (problem !== undefined) throw usage(problem);
}

function checkUsage(folder: string | undefined, options: EvalCommandOptions): void {
  const { run, modes, runDir, perQuery, json } = options;
  const searched = run === undefined || modes !== undefined;
  checkInput(folder, options, searched);
  const problem =
    !searched && runDir !== undefined
      ? "--run-dir writes what is searched; with --run, name --modes as well"
      : perQuery === true && json !== true
        ? "--per-query goes with --json"
        : undefined;
  if (problem !== undefined) throw usage(problem);
}

function usage(problem: string): MaxsimError {
  return new MaxsimError("INVALID_ARGUMENT", problem, {
    hint: "For example: maxsim eval scifact, or: maxsim eval --queries q.jsonl --qrels qrels.tsv --index DIR",
  });
}
