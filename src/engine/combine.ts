/** The final ranking of a search, of what token vectors and words said. */
import type { SearchExplanation, Trace } from "../search/explain.js";
import { type FusionEntry, fuse } from "../search/fuse.js";
import type { RankedDocument, SearchOutcome } from "../search/types.js";
import type { Hit } from "./options.js";
import type { SearchPlan } from "./search-plan.js";
import type { RankedByWords } from "./word-search.js";

export interface Ranking extends Pick<SearchExplanation, "plan" | "reason"> {
  /** At most as many candidates as the plan asks for, best first. */
  readonly ranked: readonly RankedDocument[];
  /** One a document, where rankings were fused. */
  readonly scores?: readonly NonNullable<Hit["scores"]>[];
}

/** @param late null in the mode "lexical". @param queryTokens vectors of the query. */
export function combine(
  { candidates, mode, fusion }: SearchPlan,
  { ranked: words, scale }: RankedByWords,
  late: SearchOutcome | null,
  queryTokens: number,
  trace: Trace,
): Ranking {
  if (late === null) {
    return { ranked: words.slice(0, candidates), plan: "words", reason: 'the mode is "lexical"' };
  }
  for (const stage of late.stages) trace.add(stage);
  const { plan, reason } = late;
  if (mode === "late") return { ranked: late.ranked.slice(0, candidates), plan, reason };
  const entries = new Map<number, FusionEntry & { readonly passageNo: number }>();
  for (const { documentNo, passageNo, score } of late.ranked) {
    entries.set(documentNo, { documentNo, passageNo, late: score, lexical: undefined });
  }
  words.forEach(({ documentNo, passageNo, score: lexical }, i) => {
    const known = entries.get(documentNo);
    const named = late.named?.[i] ?? Number.NaN;
    const score = known?.late ?? (Number.isNaN(named) ? undefined : named);
    entries.set(documentNo, { documentNo, passageNo: known?.passageNo ?? passageNo, late: score, lexical });
  });
  const fused = trace.measure(
    "fuse",
    "documents",
    () => fuse([...entries.values()], fusion, { late: queryTokens, lexical: scale }).slice(0, candidates),
    ({ length }) => ({ seen: entries.size, kept: length }),
  );
  const ranked = fused.map(({ documentNo, score }) => {
    return { documentNo, passageNo: entries.get(documentNo)!.passageNo, score };
  });
  const scores = fused.map(({ late: similar, lexical }) => ({
    ...(similar === undefined ? {} : { late: similar }),
    ...(lexical === undefined ? {} : { lexical }),
  }));
  return { ranked, scores, plan, reason };
}
