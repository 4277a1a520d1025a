/** `maxsim rerank`: the command line of it. */
import type { Command } from "commander";
import { MaxsimError } from "../../common/errors.js";
import { MAX_RERANK_DOCUMENTS } from "../../rerank/types.js";
import { type OutputOptions, withOutputOptions } from "../common-options.js";
import type { CommandContext } from "../context.js";
import { choiceOption, integerOption, MAX_COUNT } from "../option-values.js";
import { fieldsOption, rerankerOption } from "../reranker-options.js";

export interface RerankCommandOptions extends OutputOptions {
  readonly query?: string;
  readonly with: string;
  readonly top?: number;
  readonly depth?: number;
  readonly fields?: readonly string[];
  readonly maxTokens?: number;
  readonly index?: string;
  readonly run?: string;
  readonly queries?: string;
  readonly corpus?: string;
  readonly collection?: string;
  readonly out?: string;
  /** False for `--no-cache`; commander gives true where neither is said. */
  readonly cache: string | boolean;
  readonly budget?: number;
  readonly onFailure: "error" | "first-stage";
  readonly skipInvalid?: boolean;
  readonly threads?: number;
}

const DEFAULT_DEPTH = 100;

export function registerRerank(program: Command, context: CommandContext): void {
  const command = program
    .command("rerank")
    .description("put the candidates of any search into a better order")
    .argument("[file]", "JSON Lines of candidates; default: standard input")
    .option("--query <text>", "what is asked, for lines without a query of their own")
    .option("--with <reranker>", "who ranks, see below", rerankerOption("--with"), "late")
    .option("--top <number>", "documents to give back (default: all)", integerOption("--top", 1, MAX_COUNT))
    .option("--fields <names>", "what is read of a document (default: title,text)", fieldsOption("--fields"))
    .option(
      "--max-tokens <number>",
      "tokens of a document that count (default: 4096; language models: 400)",
      integerOption("--max-tokens", 1, 1_000_000),
    )
    .option("--index <dir>", "candidates are ids of this index, and late compares the vectors it stores")
    .option("--run <file>", "rerank a TREC run, and give one")
    .option("--queries <file>", "with --run: BEIR queries.jsonl, or lines of id<TAB>text")
    .option("--corpus <path>", "with --run: the documents, as maxsim index takes them")
    .option("--collection <dir>", "with --run: a BEIR folder, for --queries and --corpus")
    .option(
      "--depth <number>",
      `with --run: documents of a query that are reranked, the others stay behind them (default: ${DEFAULT_DEPTH})`,
      integerOption("--depth", 1, MAX_RERANK_DOCUMENTS),
    )
    .option("--out <file>", "with --run: where to write the run (default: standard output)")
    .option(
      "--cache <file>",
      "where scores are kept (default: your cache folder, for services and models asked over the network)",
    )
    .option("--no-cache", "keep no scores")
    .option(
      "--budget <milliseconds>",
      "time for a call: slower stages of a chain are left out",
      integerOption("--budget", 1, MAX_COUNT),
    )
    .option(
      "--on-failure <what>",
      "error, or first-stage to keep the order that there was",
      choiceOption("--on-failure", ["error", "first-stage"]),
      "error",
    )
    .option("--skip-invalid", "leave out lines that cannot be read, instead of stopping")
    .option(
      "--threads <number>",
      "threads of models that run here (default: all)",
      integerOption("--threads", 1, 256),
    );
  withOutputOptions(command)
    .addHelpText(
      "after",
      `
A line is a document: a JSON object with title and text, or
a JSON string. It may have a field query of its own, and
lines with the same query one after another are ranked
together; or it has a query and all its documents:
  {"query": "...", "documents": ["...", {"text": "..."}]}
What comes out is a line a document, best first, with its
index among the candidates, id and score.

Rerankers:
  late[:model]           late interaction, on this machine
  cross-encoder:model    a cross-encoder, on this machine
  cohere[:model] jina[:model] voyage[:model] tei[:url]
                         services; keys from COHERE_API_KEY,
                         JINA_API_KEY, VOYAGE_API_KEY
  llm:model llm-pairwise:model llm-pointwise:model
                         a language model; OPENAI_BASE_URL,
                         OPENAI_API_KEY
  late@200+llm:model@10  one after another, each with the
                         best of the one before

Examples:
  maxsim rerank --query "repair a tyre" --top 5 \\
    < candidates.jsonl
  maxsim rerank --with cohere candidates.jsonl
  echo '["a","b"]' | jq -c '.[]' | \\
    maxsim rerank --index ./docs --query "heat pumps"
  maxsim rerank --run bm25.trec --collection ./scifact \\
    --depth 200 --out reranked.trec`,
    )
    .action(async (file: string | undefined, options: RerankCommandOptions) => {
      checkUsage(file, options);
      if (options.run === undefined) {
        const { rerankLines } = await import("../actions/rerank.js");
        await rerankLines(file, options, context);
      } else {
        const { rerankRun } = await import("../actions/rerank-run.js");
        const { run, depth = DEFAULT_DEPTH } = options;
        await rerankRun({ ...options, run, depth }, context);
      }
    });
}

function checkUsage(file: string | undefined, options: RerankCommandOptions): void {
  const { run, queries, corpus, collection, index, query, out, top, depth } = options;
  const ofRun = {
    ...{ "--queries": queries, "--corpus": corpus, "--collection": collection },
    ...{ "--out": out, "--depth": depth },
  };
  const alone = Object.entries(ofRun).find(([, value]) => run === undefined && value !== undefined)?.[0];
  const places = [corpus, collection, index].filter((place) => place !== undefined);
  const wrong: ReadonlyArray<readonly [boolean, string]> = [
    [query !== undefined && query.trim() === "", "the query is empty"],
    [alone !== undefined, `${alone} goes with --run FILE`],
    [run !== undefined && file !== undefined, "give either candidates or --run, not both"],
    [run !== undefined && query !== undefined, "--run takes its queries from --queries or --collection"],
    [run !== undefined && top !== undefined, "--top goes with candidates; a run keeps all documents"],
    [
      run !== undefined && queries === undefined && collection === undefined,
      "--run needs the texts of its queries: --queries FILE or --collection DIR",
    ],
    [
      run !== undefined && places.length === 0,
      "--run needs its documents: --corpus PATH, --collection DIR or --index DIR",
    ],
    [
      run !== undefined && options.json === true && out === undefined,
      "--json with --run needs --out FILE: without it the run goes to standard output",
    ],
    [corpus !== undefined && index !== undefined, "give either --corpus or --index, not both"],
  ];
  const problem = wrong.find(([is]) => is)?.[1];
  if (problem === undefined) return;
  throw new MaxsimError("INVALID_ARGUMENT", problem, {
    hint: 'For example: maxsim rerank --query "your question" candidates.jsonl',
  });
}
