/** What reranking took, in a line or two. */
import type { RerankOutcome, RerankUsage } from "../../rerank/types.js";
import { addUsage, NO_USAGE } from "../../rerank/usage.js";
import { formatCount, formatDuration, formatNumber, formatShare } from "./format.js";

/** Adds up outcomes of calls. */
export class RerankTally {
  usage: RerankUsage = NO_USAGE;
  queries = 0;
  /** Queries whose order stayed that of the first stage. */
  failed = 0;
  /** Of ranking alone. */
  seconds = 0;

  /** The outcomes of one call. */
  add(outcomes: readonly Pick<RerankOutcome, "reranked" | "usage" | "milliseconds">[]): void {
    for (const { usage, reranked } of outcomes) {
      this.usage = addUsage(this.usage, usage);
      this.queries++;
      if (!reranked) this.failed++;
    }
    this.seconds += Math.max(0, ...outcomes.map(({ milliseconds }) => milliseconds)) / 1000;
  }
}

export interface SummarizedReranker {
  readonly reranker: { readonly name: string; readonly model: string };
  /** Whether scores are kept. */
  readonly cached: boolean;
}

/** Lines for stderr, each with a line break. */
export function rerankSummary({ reranker, cached }: SummarizedReranker, tally: RerankTally): string {
  const { usage, queries, failed, seconds } = tally;
  const name = reranker.model === "" ? reranker.name : `${reranker.name} ${reranker.model}`;
  const ranked = usage.scored + usage.cached;
  const head = [
    `${formatCount(ranked, "document")} of ${formatCount(queries, "query", "queries")}`,
    `ranked by ${name} in ${formatDuration(seconds)}`,
  ].join(" ");
  const kept = cached
    ? [`${formatNumber(usage.cached)} scores from the cache (${formatShare(usage.cached, ranked)})`]
    : [];
  const lines = [[head, ...kept].join(", ")];
  const took = usageWords(usage);
  if (took !== "") lines.push(took);
  if (failed > 0) {
    lines.push(`${formatCount(failed, "query", "queries")} left in the order of the first stage`);
  }
  return lines.map((line) => `${line}\n`).join("");
}

/** `3 calls, 1,200 tokens read, 12 written, cost 0.0031`; empty for what ran here. */
export function usageWords({ requests, inputTokens, outputTokens, searchUnits, cost }: RerankUsage): string {
  return [
    ...(requests > 0 ? [formatCount(requests, "call")] : []),
    ...(inputTokens > 0 ? [`${formatCount(inputTokens, "token")} read`] : []),
    ...(outputTokens > 0 ? [`${formatNumber(outputTokens)} written`] : []),
    ...(searchUnits > 0 ? [formatCount(searchUnits, "search unit")] : []),
    ...(cost > 0 ? [`cost ${cost.toPrecision(3)}`] : []),
  ].join(", ");
}
