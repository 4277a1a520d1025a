/** The reranker that a command line names, with the cache of its scores. */
import type { Logger } from "../common/logger.js";
import { type LoadRerankerOptions, loadReranker } from "../rerank/load.js";
import { isRemote, parseRerankerSpec } from "../rerank/spec.js";
import type { Reranker } from "../rerank/types.js";
import { SqliteScoreCache } from "../storage/score-cache.js";

export interface OpenRerankerOptions
  extends Pick<LoadRerankerOptions, "threads" | "budgetMs" | "onFailure" | "late" | "signal"> {
  readonly spec: string;
  /** File of the cache, false for none. Default: the user's cache, for services and language models. */
  readonly cache?: string | false;
  readonly logger: Logger;
}

export interface OpenReranker {
  readonly reranker: Reranker;
  readonly cached: boolean;
  close(): Promise<void>;
}

/** Errors: those of loadReranker. */
export async function openReranker({
  spec,
  cache: file,
  ...options
}: OpenRerankerOptions): Promise<OpenReranker> {
  const stages = parseRerankerSpec(spec);
  const stored =
    options.late !== undefined && stages.every(({ kind, model }) => kind === "late" && model === undefined);
  if (stored && typeof file === "string") {
    options.logger.warn(`no scores are kept in ${file}: late compares the vectors that the index stores`);
  }
  const wanted = !stored && (typeof file === "string" || (file !== false && stages.some(isRemote)));
  const cache = wanted
    ? await SqliteScoreCache.open({
        logger: options.logger,
        ...(typeof file === "string" ? { path: file } : {}),
      })
    : undefined;
  try {
    const reranker = await loadReranker(spec, { ...options, ...(cache === undefined ? {} : { cache }) });
    return {
      reranker,
      cached: cache !== undefined,
      close: async () => {
        try {
          await reranker.close();
        } finally {
          await cache?.close();
        }
      },
    };
  } catch (error) {
    await cache?.close();
    throw error;
  }
}
