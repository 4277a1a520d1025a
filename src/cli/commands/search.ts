import { isAbsolute, relative } from "node:path";
import { createInterface } from "node:readline/promises";
import type { Command } from "commander";
import { MaxsimError } from "../../common/errors.js";
import { Index } from "../../engine/index.js";
import type { Hit, SearchOptions, SearchResult } from "../../engine/options.js";
import { MAX_K } from "../../engine/searching.js";
import type { SearchEffort } from "../../search/parameters.js";
import { type CommandContext, indexFolder } from "../context.js";
import { integerOption } from "../integer-option.js";
import { createColors } from "../render/color.js";
import { renderExplanation } from "../render/explanation.js";
import { formatNumber } from "../render/format.js";
import { renderJson } from "../render/json.js";
import { type RenderableHit, renderHits } from "../render/results.js";
import { searchQueries } from "../run-queries.js";

interface SearchCommandOptions {
  readonly index?: string;
  readonly k: number;
  readonly effort?: SearchEffort;
  readonly threads?: number;
  readonly queries?: string;
  readonly run?: string;
  readonly explain?: boolean;
  readonly json?: boolean;
}

export function registerSearch(program: Command, context: CommandContext): void {
  program
    .command("search")
    .description("ask an index a question; without a query on a terminal, ask many")
    .argument("[query...]", "the question, in natural language")
    .option("--index <dir>", "folder of the index (default: index-data/default)")
    .option("-k <number>", "hits to show", integerOption("-k", 1, MAX_K), 10)
    .option("--effort <level>", "fast, balanced or exact (default: balanced)")
    .option("--threads <number>", "threads to score with (default: all)", integerOption("--threads", 1, 256))
    .option("--queries <file>", "answer every query of a file: BEIR queries.jsonl, or lines of id<TAB>text")
    .option("--run <file>", "with --queries: where to write the TREC run (qid Q0 docid rank score tag)")
    .option("--explain", "show what each stage saw, kept and cost")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      `
Examples:
  maxsim search "how do I cancel a running task?"
  maxsim search "vitamin D and bones" --index ./papers -k 5 --json
  maxsim search --queries queries.jsonl --run run.trec -k 100 --index ./papers`,
    )
    .action(async (words: string[], options: SearchCommandOptions) => {
      const query = words.join(" ");
      checkUsage(query, options, context);
      const folder = indexFolder(options.index);
      const { threads } = options;
      const index = await Index.open(folder, { warm: true, ...(threads === undefined ? {} : { threads }) });
      try {
        if (index.info().documents === 0) {
          throw new MaxsimError("EMPTY_CORPUS", `the index ${folder} holds no documents`, {
            hint: "Fill it with: maxsim index <paths...>",
          });
        }
        if (options.queries !== undefined) {
          const { queries, run, k, json } = options;
          const report = await searchQueries(index, { queries, run, k, effort: options.effort }, context);
          context.stdout.write(json === true ? renderJson(report) : `${report.summary}\n`);
        } else if (query.trim() === "" && words.length === 0) {
          await converse(index, folder, options, context);
        } else {
          await answer(index, folder, query, options, context);
        }
      } finally {
        await index.close();
      }
    });
}

function checkUsage(query: string, options: SearchCommandOptions, context: CommandContext): void {
  const problem =
    options.queries !== undefined && query !== ""
      ? "give either a query or --queries, not both"
      : options.queries !== undefined && options.run === undefined
        ? "--queries needs --run FILE for its answers"
        : options.run !== undefined && options.queries === undefined
          ? "--run goes with --queries FILE"
          : options.queries === undefined && query === "" && context.stdin.isTTY !== true
            ? "a query is missing"
            : undefined;
  if (problem !== undefined) {
    throw new MaxsimError("INVALID_ARGUMENT", problem, {
      hint: 'For example: maxsim search "your question"',
    });
  }
}

async function answer(
  index: Index,
  folder: string,
  query: string,
  options: SearchCommandOptions,
  context: CommandContext,
): Promise<void> {
  const started = performance.now();
  const search: SearchOptions = {
    k: options.k,
    signal: context.signal,
    explain: options.explain === true || options.json === true,
    ...(options.effort === undefined ? {} : { effort: options.effort }),
  };
  const result = await index.search(query, search);
  const milliseconds = performance.now() - started;
  if (options.json === true) {
    context.stdout.write(renderJson({ query, index: folder, milliseconds, ...result }));
    return;
  }
  show(result, options, context);
  const { documents } = index.info();
  const truncated = result.truncated
    ? "; the query was longer than the model takes, its end was left out"
    : "";
  context.stderr.write(
    `${result.hits.length} of ${formatNumber(documents)} documents in ${milliseconds.toFixed(0)} ms, ` +
      `index ${relative(".", folder) || "."}${truncated}\n`,
  );
}

function show(result: SearchResult, options: SearchCommandOptions, context: CommandContext): void {
  const colors = createColors(context.stdout, context.env);
  const width = context.stdout.columns ?? 100;
  context.stdout.write(renderHits(result.hits.map(toRenderable), { colors, width }));
  if (options.explain === true && result.explanation !== undefined) {
    context.stdout.write(renderExplanation(result.explanation));
  }
}

/** `file:line` where a document came from a file; JSONL and CSV records have the line of their record. */
function toRenderable(hit: Hit): RenderableHit {
  const { rank, score, id, title, source, passage, snippet } = hit;
  const where =
    source === undefined ? undefined : `${shortPath(source.path)}:${source.line ?? passage.lineStart}`;
  return {
    rank,
    score,
    id,
    snippet,
    ...(title === undefined ? {} : { title }),
    ...(where === undefined ? {} : { where }),
  };
}

function shortPath(path: string): string {
  const local = relative(".", path);
  return local === "" || local.startsWith("..") || isAbsolute(local) ? path : local;
}

/** Questions from the terminal, one a line, until the input ends. */
async function converse(
  index: Index,
  folder: string,
  options: SearchCommandOptions,
  context: CommandContext,
): Promise<void> {
  context.stderr.write(
    `${formatNumber(index.info().documents)} documents in ${folder}; an empty line or Ctrl-D ends\n`,
  );
  await index.warm();
  const terminal = createInterface({ input: context.stdin, output: context.stderr, prompt: "? " });
  try {
    terminal.prompt();
    for await (const line of terminal) {
      const query = line.trim();
      if (query === "") return;
      await answer(index, folder, query, options, context);
      terminal.prompt();
    }
  } finally {
    terminal.close();
  }
}
