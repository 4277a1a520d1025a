/** What the options of a search ask for, checked and complete. */
import { checkInteger, checkNumber, checkOneOf, invalidArgument } from "../common/check.js";
import type { FusionMethod } from "../search/fuse.js";
import { type SearchParameters, searchParameters } from "../search/parameters.js";
import { DEFAULT_K, MAX_K, type SearchMode, type SearchOptions } from "./options.js";
import { type RerankPlan, rerankPlan } from "./rerank-plan.js";

export interface SearchPlan {
  readonly k: number;
  /** Documents wanted before any reranking: `k`, or as many as are reranked. */
  readonly candidates: number;
  readonly mode: SearchMode;
  /** Documents wanted of late interaction: `candidates`, or more where rankings are fused. */
  readonly depth: number;
  readonly fusion: FusionMethod;
  /** Passages that the words of a query bring in beside token vectors; 0 for none. */
  readonly lexicalCandidates: number;
  readonly parameters: SearchParameters;
  readonly operators: boolean;
  readonly snippets: NonNullable<SearchOptions["snippets"]>;
  readonly explain: NonNullable<SearchOptions["explain"]>;
  /** Null for a search that ends with the first stage. */
  readonly rerank: RerankPlan | null;
}

/** Measured in docs/evaluation.md, "Fusion". */
const DEFAULT_METHOD: FusionMethod["method"] = "scores";
const DEFAULT_ALPHA: Record<FusionMethod["method"], number> = { scores: 0.85, rrf: 0.6 };
const DEFAULT_DEPTH = 100;

/** Errors: INVALID_ARGUMENT. */
export function searchPlan(options: SearchOptions): SearchPlan {
  const k = checkInteger("k", options.k ?? DEFAULT_K, 1, MAX_K);
  const mode = checkOneOf("mode", options.mode ?? "late", ["late", "lexical", "hybrid"] as const);
  const rerank = rerankPlan(options.rerank);
  const first = Math.max(k, rerank?.depth ?? 0);
  const fusion = options.fusion ?? {};
  const method = checkOneOf("fusion.method", fusion.method ?? DEFAULT_METHOD, ["rrf", "scores"] as const);
  const depth = checkInteger("fusion.depth", fusion.depth ?? Math.max(first, DEFAULT_DEPTH), first, MAX_K);
  const candidates = checkInteger("lexicalCandidates", options.lexicalCandidates ?? 0, 0, MAX_K);
  const wanted = mode === "hybrid" ? depth : first;
  return {
    k,
    candidates: first,
    mode,
    depth: wanted,
    fusion: { method, alpha: checkNumber("fusion.alpha", fusion.alpha ?? DEFAULT_ALPHA[method], 0, 1) },
    lexicalCandidates: mode === "late" ? candidates : depth,
    parameters: searchParameters(wanted, options),
    snippets: checkOneOf("snippets", options.snippets ?? "matches", ["matches", "words", "none"] as const),
    explain: checkExplain(options.explain ?? false),
    operators:
      checkOneOf("syntax", options.syntax ?? "operators", ["operators", "plain"] as const) === "operators",
    rerank,
  };
}

function checkExplain(value: unknown): boolean | "stages" {
  if (typeof value === "boolean" || value === "stages") return value;
  throw invalidArgument("explain", 'true, false or "stages"', value);
}
