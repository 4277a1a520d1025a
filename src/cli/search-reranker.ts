/** `--rerank` of `maxsim search`. */
import type { Index } from "../engine/index.js";
import type { SearchRerankOptions } from "../engine/options.js";
import { parseRerankerSpec } from "../rerank/spec.js";
import type { SearchCommandOptions } from "./commands/search.js";
import { commandLogger } from "./common-options.js";
import type { CommandContext } from "./context.js";
import { openReranker } from "./open-reranker.js";

export interface SearchReranker {
  readonly rerank: SearchRerankOptions;
  /** Whether scores are kept. */
  readonly cached: boolean;
  close(): Promise<void>;
}

/** Undefined without `--rerank`. `late` without a model compares the vectors that the index stores. Errors: those of openReranker. */
export async function openSearchReranker(
  index: Index,
  {
    rerank: spec,
    depth: wanted,
    rerankFields,
    rerankCache,
    rerankBudget,
    threads,
    ...output
  }: SearchCommandOptions,
  context: CommandContext,
): Promise<SearchReranker | undefined> {
  if (spec === undefined) return undefined;
  const stages = parseRerankerSpec(spec);
  const depth = wanted ?? stages[0]?.depth;
  const options = {
    ...(depth === undefined ? {} : { depth }),
    ...(rerankFields === undefined ? {} : { fields: rerankFields }),
  };
  const [only] = stages;
  const stored = stages.length === 1 && only?.kind === "late" && only.model === undefined;
  const logger = commandLogger(context, output);
  if (stored && rerankFields !== undefined) {
    logger.warn("--rerank-fields changes nothing: late compares the vectors that the index stores");
  }
  if (stored && rerankBudget === undefined) {
    if (typeof rerankCache === "string") {
      logger.warn(`no scores are kept in ${rerankCache}: late compares the vectors that the index stores`);
    }
    return { rerank: { with: "late", ...options }, cached: false, close: async () => undefined };
  }
  const opened = await openReranker({
    ...{ spec, logger, signal: context.signal, late: () => index.reranker({ logger }) },
    ...(rerankCache === undefined || rerankCache === true ? {} : { cache: rerankCache }),
    ...(threads === undefined ? {} : { threads }),
    ...(rerankBudget === undefined ? {} : { budgetMs: rerankBudget }),
  });
  const { reranker, cached, close } = opened;
  return { rerank: { with: reranker, ...options }, cached, close };
}
