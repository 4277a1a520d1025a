import type { RerankUsage } from "./types.js";

export const NO_USAGE: RerankUsage = {
  scored: 0,
  cached: 0,
  requests: 0,
  inputTokens: 0,
  outputTokens: 0,
  searchUnits: 0,
  cost: 0,
};

/** The sum, count by count; what is absent counts nothing. */
export function addUsage(a: RerankUsage, b: Partial<RerankUsage>): RerankUsage {
  const keys = Object.keys(NO_USAGE) as (keyof RerankUsage)[];
  const sum = Object.fromEntries(keys.map((key) => [key, (a[key] ?? 0) + (b[key] ?? 0)]));
  const estimatedTokens = (a.estimatedTokens ?? 0) + (b.estimatedTokens ?? 0);
  return { ...(sum as unknown as RerankUsage), ...(estimatedTokens === 0 ? {} : { estimatedTokens }) };
}
