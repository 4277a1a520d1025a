/** `maxsim rerank` of candidates: lines in, lines out, query by query. */
import { once } from "node:events";
import { MaxsimError } from "../../common/errors.js";
import type { StoredDocument } from "../../documents/records.js";
import type { Index } from "../../engine/index.js";
import { DEFAULT_FIELDS, documentFields, documentId } from "../../rerank/document-text.js";
import type { RerankDocument, RerankFields, RerankOptions, RerankOutcome } from "../../rerank/types.js";
import type { RerankCommandOptions } from "../commands/rerank.js";
import { commandLogger } from "../common-options.js";
import type { CommandContext } from "../context.js";
import { openIndex, requireDocuments } from "../open-index.js";
import { type OpenReranker, openReranker } from "../open-reranker.js";
import { createColors } from "../render/color.js";
import { formatCount } from "../render/format.js";
import { renderJson } from "../render/json.js";
import { RerankTally, rerankSummary } from "../render/rerank-summary.js";
import { rerankedHits } from "../render/reranked.js";
import { renderHits } from "../render/results.js";
import { batchesOf } from "./rerank-batches.js";
import { type Candidates, readCandidates, standardInput } from "./rerank-input.js";

/** Documents that are ranked in one call, so that models can share batches. */
const BATCH_DOCUMENTS = 1_000;
const DEFAULT_WIDTH = 100;

export interface RerankEnvironment {
  readonly opened: OpenReranker;
  /** Where ids are looked up. */
  readonly index: Index | undefined;
}

/** Opens the index of `--index`, and the reranker of `--with`. */
export async function withReranker(
  options: RerankCommandOptions,
  context: CommandContext,
  work: (environment: RerankEnvironment) => Promise<void>,
): Promise<void> {
  const { with: spec, cache, threads, budget, onFailure } = options;
  const logger = commandLogger(context, options);
  const index =
    options.index === undefined
      ? undefined
      : await openIndex(options.index, { logger, ...(threads === undefined ? {} : { threads }) });
  let opened: OpenReranker | undefined;
  try {
    if (index !== undefined) requireDocuments(index);
    opened = await openReranker({
      ...{ spec, logger, onFailure, signal: context.signal },
      ...(cache === true ? {} : { cache }),
      ...(threads === undefined ? {} : { threads }),
      ...(budget === undefined ? {} : { budgetMs: budget }),
      ...(index === undefined ? {} : { late: () => index.reranker({ logger }) }),
    });
    await work({ opened, index });
  } finally {
    await opened?.close();
    await index?.close();
  }
}

export function rerankOptions(
  { fields, maxTokens, top }: RerankCommandOptions,
  { signal }: CommandContext,
): RerankOptions {
  return {
    signal,
    ...(fields === undefined ? {} : { fields }),
    ...(maxTokens === undefined ? {} : { maxTokensPerDocument: maxTokens }),
    ...(top === undefined ? {} : { topN: top }),
  };
}

export async function rerankLines(
  file: string | undefined,
  options: RerankCommandOptions,
  context: CommandContext,
): Promise<void> {
  const fromStdin = file === undefined || file === "-";
  const logger = commandLogger(context, options);
  await withReranker(options, context, async ({ opened, index }) => {
    const tally = new RerankTally();
    let invalid = 0;
    const candidates = readCandidates(
      fromStdin ? { name: "standard input", input: standardInput(context) } : { name: file },
      {
        query: options.query,
        fields: options.fields ?? DEFAULT_FIELDS,
        byId: index !== undefined,
        ...(index === undefined ? {} : { checkKnown: (id) => storedDocument(index, id) }),
        onInvalid:
          options.skipInvalid === true
            ? (message) => {
                invalid++;
                logger.warn(`left out ${message}`);
              }
            : undefined,
      },
      context.signal,
    );
    const print = printer(options, opened, context);
    const limits = {
      size: BATCH_DOCUMENTS,
      sizeOf: ({ documents }: Candidates) => Math.max(1, documents.length),
    };
    for await (const batch of batchesOf(candidates, limits)) {
      try {
        const known = await Promise.all(batch.map((request) => withTexts(request, index)));
        const outcomes = await opened.reranker.rerankBatch(known, rerankOptions(options, context));
        tally.add(outcomes);
        for (const [i, outcome] of outcomes.entries()) await print.outcome(batch[i]!, outcome, known[i]!);
      } catch (error) {
        // Whoever writes may write on; nobody reads any more.
        if (fromStdin) context.stdin.destroy();
        throw error;
      }
    }
    await print.end(tally, invalid);
    if (options.json === true) return;
    if (invalid > 0) logger.warn(`${formatCount(invalid, "line")} left out`);
    context.stderr.write(rerankSummary(opened, tally));
  });
}

/** Documents of an index that name themselves by id, with title and text. Errors: UNKNOWN_DOCUMENT. */
async function withTexts(request: Candidates, index: Index | undefined): Promise<Candidates> {
  if (index === undefined) return request;
  const documents = await Promise.all(
    request.documents.map(async (document): Promise<RerankFields> => {
      const id = documentId(document) ?? "";
      const { title, text, url, metadata } = await storedDocument(index, id);
      return {
        ...metadata,
        ...{ id, text },
        ...(title === undefined ? {} : { title }),
        ...(url === undefined ? {} : { url }),
      };
    }),
  );
  return { ...request, documents };
}

/** Errors: UNKNOWN_DOCUMENT. */
async function storedDocument(index: Index, id: string): Promise<StoredDocument> {
  const stored = await index.get(id);
  if (stored !== undefined) return stored;
  throw new MaxsimError(
    "UNKNOWN_DOCUMENT",
    `the index ${index.folder} has no document ${JSON.stringify(id)}`,
    { hint: "Candidates are ids of the index of --index; see them with: maxsim list" },
  );
}

interface Printer {
  /** @param known the request with the texts of its documents. */
  outcome(request: Candidates, outcome: RerankOutcome, known: Candidates): Promise<void>;
  end(tally: RerankTally, invalid: number): Promise<void>;
}

function printer(
  options: RerankCommandOptions,
  { reranker }: OpenReranker,
  context: CommandContext,
): Printer {
  const { stdout, env } = context;
  const write = async (text: string): Promise<void> => {
    if (!stdout.write(text)) await once(stdout, "drain", { signal: context.signal });
  };
  const { name, model } = reranker;
  if (options.json === true) {
    let written = 0;
    const open = `${renderJson({ reranker: name, model }).slice(0, -"\n}\n".length)},\n  "queries": [`;
    return {
      outcome: async ({ label, query, documents }, { results, reranked, warnings }) => {
        const rows = results.map((row) => rowOf(row, documents));
        const item = renderJson({ ...{ query, ...label }, reranked, warnings, results: rows });
        await write(`${written++ === 0 ? open : ","}\n    ${item.trimEnd().replaceAll("\n", "\n    ")}`);
      },
      end: async (tally, invalid) => {
        const { usage, seconds } = tally;
        const rest = renderJson({ usage, seconds, skippedLines: invalid }).slice("{".length);
        await write(`${written === 0 ? open : "\n  "}],${rest}`);
      },
    };
  }
  if (stdout.isTTY === true) {
    const style = { colors: createColors(stdout, env), width: stdout.columns ?? DEFAULT_WIDTH };
    return {
      outcome: async ({ query, label }, { results }, { documents }) => {
        const head = label.query === undefined ? "" : `${style.colors.bold(query)}\n`;
        const fields = options.fields ?? DEFAULT_FIELDS;
        const hits = rerankedHits(query, results, documents, fields);
        await write(`${head}${renderHits(hits, style)}\n`);
      },
      end: async () => undefined,
    };
  }
  return {
    outcome: async ({ label, documents }, { results }) => {
      for (const row of results) {
        await write(`${JSON.stringify({ ...label, ...rowOf(row, documents) })}\n`);
      }
    },
    end: async () => undefined,
  };
}

/** A result as JSON, with the document as it came in. */
function rowOf(
  { index, score }: { index: number; score: number },
  documents: readonly RerankDocument[],
): object {
  const document = documents[index]!;
  const fields = documentFields(document);
  const id = fields?.id ?? fields?._id;
  return { index, ...(id === undefined ? {} : { id }), score, document };
}
