/** What a search asks of its reranking, checked and complete. */
import { checkInteger, checkOneOf, invalidArgument } from "../common/check.js";
import type { Reranker, RerankOptions } from "../rerank/types.js";
import { MAX_K, type SearchRerankOptions } from "./options.js";

export interface RerankPlan {
  readonly with: "late" | Reranker;
  readonly depth: number;
  /** What of the options is handed to the reranker. */
  readonly options: Pick<RerankOptions, "fields" | "maxTokensPerDocument">;
  readonly onFailure: NonNullable<SearchRerankOptions["onFailure"]>;
}

/** More candidates hardly ever help, and what a reranker costs grows with them (docs/lift.md). */
const DEFAULT_RERANK_DEPTH = 100;

/** Null without options. Errors: INVALID_ARGUMENT; fields and lengths are the reranker's to check. */
export function rerankPlan(options: SearchRerankOptions | undefined): RerankPlan | null {
  if (options === undefined) return null;
  if (typeof options !== "object" || options === null) {
    throw invalidArgument("rerank", 'an object such as { with: "late" }', options);
  }
  const { depth = DEFAULT_RERANK_DEPTH, fields, maxTokensPerDocument, onFailure = "first-stage" } = options;
  return {
    with: checkReranker(options.with),
    depth: checkInteger("rerank.depth", depth, 1, MAX_K),
    options: {
      ...(fields === undefined ? {} : { fields }),
      ...(maxTokensPerDocument === undefined ? {} : { maxTokensPerDocument }),
    },
    onFailure: checkOneOf("rerank.onFailure", onFailure, ["first-stage", "error"] as const),
  };
}

function checkReranker(value: unknown): "late" | Reranker {
  if (value === "late") return value;
  const known =
    typeof value === "object" &&
    value !== null &&
    "rerankBatch" in value &&
    typeof value.rerankBatch === "function";
  if (known) return value as Reranker;
  throw invalidArgument(
    "rerank.with",
    '"late" or a reranker',
    value,
    typeof value === "string"
      ? `Load it first: rerank: { with: await Reranker.load(${JSON.stringify(value)}) }.`
      : 'Hand in what Reranker.load(...) gives, or "late" for the stored vectors.',
  );
}
