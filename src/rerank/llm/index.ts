/** Language models as rerankers, over any server with chat completions. */
import { checkInteger, checkOneOf } from "../../common/check.js";
import type { HttpClock } from "../http-retry.js";
import { ScoringReranker } from "../scoring-reranker.js";
import type { Reranker } from "../types.js";
import { LlmScorer } from "./llm-scorer.js";
import { checkLlmOptions, type LlmOptions } from "./options.js";

export type { TokenPrice } from "./budget.js";
export type { LlmMethod, LlmOptions } from "./options.js";

const DEFAULT_CONCURRENCY = 4;

/**
 * A language model that orders documents. Documents are data in its prompts: whatever they say, the results are a permutation of them.
 * Windows, pairs and documents whose calls fail keep the order of the first stage, with a warning; so do all where no call gives a
 * usable answer (`reranked: false`), unless `onFailure` is "error" (default: "first-stage"). `concurrency` counts calls of the server.
 *
 * Errors: INVALID_ARGUMENT for a wrong option; of calls also INVALID_ARGUMENT where the server refuses all requests, such as those for a
 * model that it does not have.
 */
export function llmReranker(options: LlmOptions, clock?: HttpClock): Reranker {
  const settings = checkLlmOptions(options);
  const onFailure = checkOneOf("onFailure", options.onFailure ?? "first-stage", [
    "error",
    "first-stage",
  ] as const);
  const concurrency = checkInteger("concurrency", options.concurrency ?? DEFAULT_CONCURRENCY, 1, 256);
  const scorer = new LlmScorer(settings, {
    parallel: concurrency,
    onFailure,
    ...(clock === undefined ? {} : { clock }),
  });
  return new ScoringReranker(scorer, { ...options, onFailure, concurrency });
}
