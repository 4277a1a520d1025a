/** `maxsim search`: the command line of it. */
import type { Command } from "commander";
import { MaxsimError } from "../../common/errors.js";
import type { Filter } from "../../documents/filter/types.js";
import { DEFAULT_K, MAX_K, type SearchMode } from "../../engine/options.js";
import type { SearchEffort } from "../../search/parameters.js";
import { type OutputOptions, withIndexOption, withOutputOptions } from "../common-options.js";
import type { CommandContext } from "../context.js";
import { withFilterOption } from "../filter-option.js";
import { choiceOption, integerOption, numberOption } from "../option-values.js";
import { pathOption } from "../path-option.js";
import { fieldsOption, rerankerOption } from "../reranker-options.js";
import { sinceOption } from "../since-option.js";

export interface SearchCommandOptions extends OutputOptions {
  readonly index?: string;
  readonly k: number;
  readonly mode?: SearchMode;
  readonly fusion?: "rrf" | "scores";
  readonly alpha?: number;
  readonly filter?: Filter;
  readonly path?: readonly string[];
  /** ISO 8601. */
  readonly since?: string;
  readonly plain?: boolean;
  readonly snippets?: "matches" | "words" | "none";
  readonly effort?: SearchEffort;
  readonly rerank?: string;
  readonly depth?: number;
  readonly rerankFields?: readonly string[];
  /** False for `--no-rerank-cache`; commander gives true where neither is said. */
  readonly rerankCache?: string | boolean;
  readonly rerankBudget?: number;
  readonly model?: string;
  readonly threads?: number;
  readonly queries?: string;
  readonly run?: string;
  readonly explain?: boolean;
  /** Hits whose passages are drawn with their matches. */
  readonly explainHits?: number;
  readonly html?: string;
}

export function registerSearch(program: Command, context: CommandContext): void {
  const command = program
    .command("search")
    .description("ask an index a question; without one, on a terminal, ask many")
    .argument("[query...]", "the question, in natural language");
  withIndexOption(command)
    .option("-k <number>", "hits to show", integerOption("-k", 1, MAX_K), DEFAULT_K)
    .option(
      "--mode <mode>",
      "late (by meaning), lexical (by words) or hybrid (both) (default: late)",
      choiceOption("--mode", ["late", "lexical", "hybrid"]),
    )
    .option(
      "--fusion <method>",
      "for hybrid: rrf adds up ranks, scores adds up scores (default: scores)",
      choiceOption("--fusion", ["rrf", "scores"]),
    )
    .option(
      "--alpha <weight>",
      "for hybrid: weight of meaning, 0 to 1; the rest is that of words (default: 0.7)",
      numberOption("--alpha", 0, 1),
    );
  withFilterOption(command, "only documents that match")
    .option("--path <glob>", "only documents from these files or folders; may be given again", pathOption)
    .option(
      "--since <when>",
      "only documents from this date on: 2024-05-31, today, 12h, 7d, 6mo, 1y",
      (text: string) => sinceOption(text),
    )
    .option("--plain", 'take "quotes" and -signs in the question as they are, not as operators')
    .option(
      "--snippets <kind>",
      "made from matches, from words of the question, or none (default: matches)",
      choiceOption("--snippets", ["matches", "words", "none"]),
    )
    .option(
      "--effort <level>",
      "fast, balanced or exact (default: balanced)",
      choiceOption("--effort", ["fast", "balanced", "exact"]),
    )
    .option(
      "--rerank <reranker>",
      "a second look at the best: late (stored vectors), cross-encoder:model, cohere, llm:model, ...; see maxsim rerank --help",
      rerankerOption("--rerank"),
    )
    .option(
      "--depth <number>",
      "with --rerank: documents that are reranked (default: 100)",
      integerOption("--depth", 1, MAX_K),
    )
    .option(
      "--rerank-fields <names>",
      "with --rerank: what is read of a hit (default: title,text)",
      fieldsOption("--rerank-fields"),
    )
    .option("--rerank-cache <file>", "with --rerank: where scores are kept")
    .option("--no-rerank-cache", "with --rerank: keep no scores")
    .option(
      "--rerank-budget <milliseconds>",
      "with --rerank: time that it may take",
      integerOption("--rerank-budget", 1, 1_000_000_000),
    )
    .option("--explain", "show which tokens matched, and what each stage saw, kept and cost")
    .option(
      "--explain-hits <number>",
      "hits whose matched tokens are shown, or all (default: 3)",
      explainHitsOption,
    )
    .option("--html <file>", "also write a page that shows the matched tokens as heat maps")
    .option("--queries <file>", "answer every query of a file: BEIR queries.jsonl, or lines of id<TAB>text")
    .option("--run <file>", "with --queries: where to write the TREC run (qid Q0 docid rank score tag)")
    .option("--model <name>", "where the model of the index is now (default: where it was)")
    .option("--threads <number>", "threads to score with (default: all)", integerOption("--threads", 1, 256));
  withOutputOptions(command)
    .addHelpText(
      "after",
      `
In a question, "several words" in quotes must occur as they
stand, and -word must not occur.

Examples:
  maxsim search "how do I cancel a running task?"
  maxsim search "vitamin D and bones" --index ./papers -k 5
  maxsim search "error E1234" --mode hybrid --since 30d
  maxsim search "error E1234" --mode lexical --rerank late
  maxsim search "heating" --path 'house/**/*.md' \\
    --filter 'year >= 2020'
  maxsim search "vitamin D and bones" --explain
  maxsim search "vitamin D and bones" --html why.html
  maxsim search --queries queries.jsonl --run run.trec \\
    -k 100 --index ./papers`,
    )
    .action(async (words: string[], options: SearchCommandOptions) => {
      checkUsage(words, options, context);
      const { search } = await import("../actions/search.js");
      await search(words, options, context);
    });
}

function explainHitsOption(text: string): number {
  return text === "all" ? MAX_K : integerOption("--explain-hits", 0, MAX_K)(text);
}

/** An option of reranking that was given. */
function rerankDetail({ depth, rerankFields, rerankCache = true, rerankBudget }: SearchCommandOptions) {
  if (depth !== undefined) return "--depth";
  if (rerankFields !== undefined) return "--rerank-fields";
  if (rerankBudget !== undefined) return "--rerank-budget";
  return rerankCache === true ? undefined : "--rerank-cache";
}

function checkUsage(words: readonly string[], options: SearchCommandOptions, context: CommandContext): void {
  const { queries, run, mode, explain, explainHits, html } = options;
  const wrong: ReadonlyArray<readonly [boolean, string]> = [
    [queries !== undefined && words.length > 0, "give either a query or --queries, not both"],
    [queries !== undefined && run === undefined, "--queries needs --run FILE for its answers"],
    [run !== undefined && queries === undefined, "--run goes with --queries FILE"],
    [
      queries !== undefined && (explain === true || explainHits !== undefined),
      "--explain goes with one query, not with --queries",
    ],
    [html !== undefined && words.length === 0, "--html goes with one query, on the command line"],
    [
      mode !== "hybrid" && (options.alpha !== undefined || options.fusion !== undefined),
      `${options.alpha === undefined ? "--fusion" : "--alpha"} goes with --mode hybrid`,
    ],
    [
      options.rerank === undefined && rerankDetail(options) !== undefined,
      `${rerankDetail(options)} goes with --rerank`,
    ],
    [queries === undefined && words.length === 0 && context.stdin.isTTY !== true, "a query is missing"],
    [words.length > 0 && words.join(" ").trim() === "", "the query is empty"],
  ];
  const problem = wrong.find(([is]) => is)?.[1];
  if (problem === undefined) return;
  throw new MaxsimError("INVALID_ARGUMENT", problem, {
    hint: 'For example: maxsim search "your question"',
  });
}
