/** What a comparison of rerankers says, in sentences. */
import { chosenRow, type LiftResult, type LiftRow, type RerankerResult } from "../actions/lift-report.js";
import { formatMilliseconds, formatPValue } from "./evaluation.js";
import { formatCount, formatNumber } from "./format.js";
import { singleLine, truncate } from "./plain-text.js";

/** Columns that the text of a query may take in a sentence. */
const QUERY_WIDTH = 60;

/** One reranker, the verdict first. */
export function liftSentences(result: LiftResult, reranker: RerankerResult): string[] {
  const row = chosenRow(reranker);
  const sentences = [
    verdictSentence(result, reranker, row),
    depthSentence(reranker),
    ceilingSentence(result, row),
    ...costSentences(result, row),
    queriesSentence(result, reranker, row),
  ];
  return sentences.map(singleLine);
}

/** About all of them; none where there is nothing to choose between. */
export function recommendation({ recommended, rerankers }: LiftResult): string[] {
  const worth = rerankers.filter(({ verdict }) => verdict === "worth");
  if (recommended === null || worth.length < 2) return [];
  return [
    `Of those that are worth it, ${recommended} is the fastest that is as good as the best (at most 1 % below it, and not significantly worse).`,
  ];
}

function verdictSentence(
  { first, comparisons }: LiftResult,
  { name, verdict }: RerankerResult,
  row: LiftRow,
): string {
  const before = first.metrics.get("nDCG@10") ?? 0;
  const change =
    `nDCG@10 at depth ${row.depth} is ${(before + row.difference).toFixed(4)} instead of ${before.toFixed(4)}` +
    ` (${formatGain(row.relativeGain)})`;
  const p =
    comparisons > 1
      ? `p ${formatEqualP(row.adjustedPValue)} after correction for ${comparisons} comparisons (${formatPValue(row.pValue)} before)`
      : `p ${formatEqualP(row.adjustedPValue)}`;
  switch (verdict) {
    case "worth":
      return `${name} is worth it: ${change}, ${p}.`;
    case "small":
      return `${name} is not worth it: ${change}, and a gain below 2 % hardly pays for another stage; ${p}.`;
    case "unproven":
      return `${name} is not shown to be worth it: ${change}, which may be chance, ${p}. More judged queries would tell.`;
    case "no-gain":
      return `${name} is not worth it: it brings no gain; ${change}, ${p}.`;
    case "worse":
      return `${name} is not worth it: it makes the answers worse; ${change}, ${p}.`;
  }
}

function depthSentence({ depths, bestDepth, chosenDepth }: RerankerResult): string {
  const deepest = depths.at(-1)?.depth ?? chosenDepth;
  if (depths.length === 1) return `Only the depth ${chosenDepth} was tried.`;
  if (chosenDepth === deepest) return `The greatest depth is the best: more candidates may bring more.`;
  if (chosenDepth === bestDepth) return `Deeper than ${chosenDepth} is no better.`;
  return `Deeper than ${chosenDepth} brings next to nothing: the best depth is ${bestDepth}, at most 1 % better and not significantly so.`;
}

function ceilingSentence({ first, ceilings }: LiftResult, row: LiftRow): string {
  const ceiling = ceilings.find(({ depth }) => depth === row.depth);
  const before = first.metrics.get("nDCG@10") ?? 0;
  const perfect = ceiling?.perfect.get("nDCG@10") ?? 0;
  const room = perfect - before;
  const way = room > 0 && row.difference > 0 ? `; ${percent(row.difference / room)} of that way is gone` : "";
  return (
    `The first ${row.depth} of ${first.name} have ${percent(ceiling?.recall ?? 0)} of the relevant documents: ` +
    `a perfect order of them would reach ${perfect.toFixed(4)}${way}.`
  );
}

function costSentences({ first }: LiftResult, { latency, costs, failed, depth }: LiftRow): string[] {
  const sentences: string[] = [];
  if (latency !== undefined) {
    const search =
      first.latency === undefined
        ? ""
        : `, on top of ${formatMilliseconds(first.latency.p50)} ms for the first stage`;
    sentences.push(
      `A query takes ${formatMilliseconds(latency.p50)} ms more (p95 ${formatMilliseconds(latency.p95)} ms)${search}.`,
    );
  }
  if (costs !== undefined) {
    const { inputTokens, outputTokens, searchUnits, cost } = costs;
    const parts = [
      ...(inputTokens > 0 ? [`${formatNumber(inputTokens)} input tokens`] : []),
      ...(outputTokens > 0 ? [`${formatNumber(outputTokens)} output tokens`] : []),
      ...(searchUnits > 0 ? [`${searchUnits.toFixed(2)} search units`] : []),
      ...(cost > 0 ? [`${cost.toPrecision(3)} in the currency of its prices`] : []),
    ];
    if (parts.length > 0) sentences.push(`A query costs ${parts.join(", ")}.`);
  }
  if (failed > 0) {
    const count = formatCount(failed, "query", "queries");
    sentences.push(`Ranking failed for ${count} at depth ${depth}, which kept the order of the first stage.`);
  }
  return sentences;
}

function queriesSentence({ queries }: LiftResult, { losses }: RerankerResult, row: LiftRow): string {
  const { better, worse, same } = row;
  const counts = `Of ${formatCount(queries, "query", "queries")}, ${formatNumber(better)} got better, ${formatNumber(worse)} worse, ${formatNumber(same)} stayed the same.`;
  if (losses.length === 0) return counts;
  const named = losses.map(({ query, text, before, after }) => {
    const words = truncate(singleLine(text), QUERY_WIDTH);
    return `${query} "${words}" (${before.toFixed(2)} to ${after.toFixed(2)})`;
  });
  return `${counts} Most lost: ${named.join(", ")}.`;
}

/** `+8.2 %`; `from nothing` where the first stage has nothing. */
export function formatGain(relativeGain: number | null): string {
  if (relativeGain === null) return "from nothing";
  return `${relativeGain < 0 ? "-" : "+"}${Math.abs(100 * relativeGain).toFixed(1)} %`;
}

function formatEqualP(p: number): string {
  const text = formatPValue(p);
  return text.startsWith("<") ? `< ${text.slice(1)}` : `= ${text}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
