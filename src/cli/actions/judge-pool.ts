/** What is to be judged for a query: the best answers of several modes, without a trace of which mode found them. */
import { createHash } from "node:crypto";
import type { Index } from "../../engine/index.js";
import type { Hit, SearchMode } from "../../engine/options.js";

export interface PoolOptions {
  readonly modes: readonly SearchMode[];
  /** Answers of each mode. */
  readonly k: number;
  readonly signal: AbortSignal;
}

export interface Pool {
  /** Each document once. Of one mode in its order; of several in an order that depends on query and ids alone. */
  readonly hits: readonly Hit[];
  /** What could not be honoured, one sentence each. */
  readonly notes: readonly string[];
}

/** Errors: those of Index.search. */
export async function judgementPool(
  index: Index,
  query: string,
  { modes, k, signal }: PoolOptions,
): Promise<Pool> {
  const found = new Map<string, Hit>();
  const notes = new Set<string>();
  for (const mode of modes) {
    const result = await index.search(query, { mode, k, signal, syntax: "plain", snippets: "none" });
    for (const hit of result.hits) if (!found.has(hit.id)) found.set(hit.id, hit);
    for (const note of result.notes ?? []) notes.add(`${mode}: ${note}`);
  }
  const hits = [...found.values()];
  if (modes.length === 1) return { hits, notes: [...notes] };
  const places = new Map(hits.map((hit) => [hit, shuffled(query, hit.id)]));
  const place = (hit: Hit): string => places.get(hit) ?? "";
  return { hits: hits.sort((a, b) => (place(a) < place(b) ? -1 : 1)), notes: [...notes] };
}

/** The same at each call, so that an interrupted round goes on where it was. */
function shuffled(query: string, id: string): string {
  return createHash("sha256")
    .update(JSON.stringify([query, id]))
    .digest("hex");
}
