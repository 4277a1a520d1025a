import type { Command } from "commander";
import { MaxsimError } from "../../common/errors.js";
import type { Index } from "../../engine/index.js";
import type { Hit, SearchResult } from "../../engine/options.js";
import { DEFAULT_K, MAX_K } from "../../engine/searching.js";
import type { SearchEffort } from "../../search/parameters.js";
import {
  commandLogger,
  type OutputOptions,
  openIndex,
  requireDocuments,
  withIndexOption,
  withOutputOptions,
} from "../common-options.js";
import { type CommandContext, shownPath } from "../context.js";
import { converse } from "../converse.js";
import { choiceOption, integerOption } from "../option-values.js";
import { createColors } from "../render/color.js";
import { renderExplanation } from "../render/explanation.js";
import { formatCount, formatNumber } from "../render/format.js";
import { renderJson } from "../render/json.js";
import { type RenderableHit, renderHits } from "../render/results.js";
import { renderRunReport, searchQueries } from "../run-queries.js";

interface SearchCommandOptions extends OutputOptions {
  readonly index?: string;
  readonly k: number;
  readonly effort?: SearchEffort;
  readonly model?: string;
  readonly threads?: number;
  readonly queries?: string;
  readonly run?: string;
  readonly explain?: boolean;
}

/** Columns where the output is no terminal. */
const DEFAULT_WIDTH = 100;

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
    .action((words: string[], options: SearchCommandOptions) => search(words, options, context));
}

async function search(
  words: readonly string[],
  options: SearchCommandOptions,
  context: CommandContext,
): Promise<void> {
  const { queries, run, k, effort, json, threads, model } = options;
  checkUsage(words, options, context);
  const index = await openIndex(options.index, {
    logger: commandLogger(context, options),
    ...(threads === undefined ? {} : { threads }),
    ...(model === undefined ? {} : { model }),
  });
  try {
    requireDocuments(index);
    if (queries !== undefined && run !== undefined) {
      const quiet = json === true && context.stderr.isTTY !== true;
      const report = await searchQueries(index, { queries, run, k, effort, quiet }, context);
      context.stdout.write(
        json === true ? renderJson({ index: index.folder, ...report }) : renderRunReport(report),
      );
      if (json !== true) context.stderr.write(`index ${shownPath(index.folder)}\n`);
    } else if (words.length > 0) {
      await answer(index, words.join(" "), options, context);
      if (json !== true) context.stderr.write(`index ${shownPath(index.folder)}\n`);
    } else {
      const { documents } = index.info();
      context.stderr.write(
        `${formatCount(documents, "document")} in ${shownPath(index.folder)}; an empty line or Ctrl-D ends\n`,
      );
      await index.warm();
      await converse(context, (question) => answer(index, question, options, context));
    }
  } finally {
    await index.close();
  }
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

async function answer(
  index: Index,
  query: string,
  options: SearchCommandOptions,
  context: CommandContext,
): Promise<void> {
  const { k, effort, explain, json } = options;
  // Apart from the search, which is what its time is about.
  const loading = performance.now();
  await index.warm();
  const started = performance.now();
  const result = await index.search(query, {
    k,
    signal: context.signal,
    explain: explain === true,
    ...(effort === undefined ? {} : { effort }),
  });
  const milliseconds = performance.now() - started;
  if (json === true) {
    context.stdout.write(renderJson({ query, index: index.folder, milliseconds, ...result }));
    return;
  }
  show(result, context);
  const loaded = started - loading;
  const model = loaded < 1 ? "" : `, after ${loaded.toFixed(0)} ms for the model`;
  context.stderr.write(
    `${formatNumber(result.hits.length)} of ${formatCount(index.info().documents, "document")} ` +
      `in ${milliseconds.toFixed(0)} ms${model}\n`,
  );
  if (result.truncated) {
    context.stderr.write(
      "the query was truncated: it is longer than the model takes, its end was left out\n",
    );
  }
}

function show({ hits, explanation }: SearchResult, context: CommandContext): void {
  const colors = createColors(context.stdout, context.env);
  const width = context.stdout.columns ?? DEFAULT_WIDTH;
  context.stdout.write(renderHits(hits.map(toRenderable), { colors, width }));
  if (explanation !== undefined) context.stdout.write(`\n${renderExplanation(explanation)}`);
}

/** `file:line` where a document came from a file; JSONL and CSV records have the line of their record. */
function toRenderable(hit: Hit): RenderableHit {
  const { rank, score, id, title, source, passage, snippet } = hit;
  const where =
    source === undefined ? undefined : `${shownPath(source.path)}:${source.line ?? passage.lineStart}`;
  return {
    rank,
    score,
    id,
    snippet: {
      text: snippet.text,
      highlights: snippet.highlights,
      leadingEllipsis: snippet.cutBefore,
      trailingEllipsis: snippet.cutAfter,
    },
    ...(title === undefined ? {} : { title }),
    ...(where === undefined ? {} : { where }),
  };
}
