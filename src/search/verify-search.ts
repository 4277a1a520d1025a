/**
 * Whether searches of a snapshot are right, with passages of its own as queries: every score of the fast kernels is the one
 * that plain TypeScript computes, both plans agree, and a passage finds itself.
 */
import type { Segment } from "../indexing/segment.js";
import { type PassagePlace, placeOfPassage } from "../indexing/segment.js";
import { type KernelBackend, MAX_QUERY_TOKENS, type PackedQuery } from "../kernels/backend.js";
import { packQuery } from "../kernels/pack.js";
import { scoreCentroids } from "./centroid-scores.js";
import { searchParameters } from "./parameters.js";
import { plainScores } from "./plain-scores.js";
import { decodePassage } from "./rescore.js";
import { ScanRouter } from "./router.js";
import { searchSnapshot } from "./search.js";
import type { RankedDocument, SearchRequest, SearchSnapshot } from "./types.js";
import { Workspace } from "./workspace.js";

export interface SearchProblem {
  /** The segment of the passage that was scored wrongly, or asked for in vain. */
  readonly segment: Segment;
  readonly what: string;
}

export interface SearchCheckOptions {
  /** Passages that become queries. */
  readonly queries: number;
  /** Tokens that plain TypeScript scores for each of them, beside the hits. */
  readonly plainTokens: number;
  /** Called before each query. */
  readonly onQuery?: (done: number, total: number) => void;
}

const K = 10;
/**
 * How much better than itself another passage may answer a passage's tokens, a token: their vectors have norms between
 * 1 - 2^-11 and 1 + 2^-11, and the query's are rounded to 8 bits. Three times what that can come to.
 */
const SELF_TOLERANCE = 0.005;

/** Errors: CORRUPT from damaged blocks that nobody read before. */
export function checkSearches(
  snapshot: SearchSnapshot,
  kernels: KernelBackend,
  { queries, plainTokens, onQuery }: SearchCheckOptions,
): SearchProblem[] {
  const chosen = spread(snapshot, queries);
  const context = {
    kernels,
    router: new ScanRouter(kernels, snapshot.codec.codebook),
    workspace: new Workspace(),
  };
  const problems: SearchProblem[] = [];
  chosen.forEach((place, i) => {
    onQuery?.(i, chosen.length);
    const asked = queryOf(snapshot, place);
    const requests = [{ effort: "exact" as const }, { exhaustiveTokens: 0, router: "scan" as const }].map(
      (tuning): SearchRequest => ({ ...asked, k: K, parameters: searchParameters(K, tuning) }),
    );
    const [exact, pruned] = searchSnapshot(snapshot, requests, context);
    const sample = { segment: place.segment, passages: samplePassages(place, plainTokens) };
    problems.push(
      ...checkHits(snapshot, asked.packed, exact!.ranked, "exhaustive"),
      ...checkHits(snapshot, asked.packed, pruned!.ranked, "pruned"),
      ...checkSelf(snapshot, asked.packed, place, exact!.ranked),
      ...checkKernels(snapshot, asked.packed, sample, context),
    );
  });
  return problems;
}

function queryOf(
  { codec }: SearchSnapshot,
  { segment, ordinal }: PassagePlace,
): Pick<SearchRequest, "packed" | "vectors"> {
  const all = decodePassage(codec, segment, ordinal);
  const vectors = all.subarray(0, Math.min(all.length, MAX_QUERY_TOKENS * codec.dim));
  return { vectors, packed: packQuery(vectors, vectors.length / codec.dim, codec.dim) };
}

/** Live passages with token vectors, spread evenly over all of them. */
function spread({ segments }: SearchSnapshot, count: number): PassagePlace[] {
  const searchable = segments.map((segment) => searchablePassages(segment));
  const total = searchable.reduce((sum, { length }) => sum + length, 0);
  const wanted = Math.min(count, total);
  const places: PassagePlace[] = [];
  let before = 0;
  segments.forEach((segment, s) => {
    const here = searchable[s]!;
    for (; places.length < wanted; ) {
      const at = Math.floor(((places.length + 0.5) * total) / wanted) - before;
      if (at >= here.length) break;
      places.push({ segment, ordinal: here[at]! });
    }
    before += here.length;
  });
  return places;
}

function searchablePassages({ passages, offsets, dead }: Segment): Uint32Array {
  const found = new Uint32Array(passages);
  let count = 0;
  for (let p = 0; p < passages; p++) {
    if (offsets[p] !== offsets[p + 1] && dead?.[p] !== 1) found[count++] = p;
  }
  return found.subarray(0, count);
}

/** Each hit has the score that plain TypeScript gives its passage. */
function checkHits(
  snapshot: SearchSnapshot,
  query: PackedQuery,
  ranked: readonly RankedDocument[],
  plan: string,
): SearchProblem[] {
  const problems: SearchProblem[] = [];
  for (const { passageNo, score } of ranked) {
    const place = placeOfPassage(snapshot.segments, passageNo)!;
    const [expected] = plainScores(snapshot.codec, query, place.segment, Uint32Array.of(place.ordinal));
    if (Object.is(expected, score)) continue;
    problems.push({
      segment: place.segment,
      what: `the ${plan} search scores passage ${passageNo} with ${score}, plain TypeScript with ${expected}`,
    });
  }
  return problems;
}

function checkSelf(
  { codec }: SearchSnapshot,
  query: PackedQuery,
  { segment, ordinal }: PassagePlace,
  ranked: readonly RankedDocument[],
): SearchProblem[] {
  const [own = Number.NaN] = plainScores(codec, query, segment, Uint32Array.of(ordinal));
  const best = ranked[0]?.score ?? Number.NEGATIVE_INFINITY;
  if (own <= best && own >= best - SELF_TOLERANCE * query.tokens) return [];
  const what =
    `the vectors of passage ${segment.numbers[ordinal]} give it the score ${own}, ` +
    `the best hit of an exhaustive search has ${best}`;
  return [{ segment, what }];
}

/** Passages of the segment with some `tokens` tokens together, spread evenly; the one of the place is among them. */
function samplePassages({ segment, ordinal }: PassagePlace, tokens: number): Uint32Array {
  const { offsets, passages } = segment;
  const step = Math.max(1, Math.ceil(offsets[passages]! / Math.max(1, tokens)));
  const first = ordinal % step;
  return Uint32Array.from({ length: Math.ceil((passages - first) / step) }, (_, i) => first + i * step);
}

/** The fast kernels score passages as plain TypeScript does. */
function checkKernels(
  { codec }: SearchSnapshot,
  query: PackedQuery,
  { segment, passages }: { readonly segment: Segment; readonly passages: Uint32Array },
  { kernels, workspace }: { readonly kernels: KernelBackend; readonly workspace: Workspace },
): SearchProblem[] {
  segment.ensureTokens(passages);
  const [tables] = scoreCentroids(codec.codebook, [query], false, kernels, workspace);
  const fast = new Float32Array(passages.length);
  kernels.maxsim(query, codec.quantizer, tables!.scores, segment.compressed, segment.offsets, passages, fast);
  workspace.giveTables(tables!);
  const plain = plainScores(codec, query, segment, passages);
  const wrong = fast.findIndex((score, i) => !Object.is(score, plain[i]));
  if (wrong < 0) return [];
  const number = segment.numbers[passages[wrong]!];
  const what = `the ${kernels.name} kernels score passage ${number} with ${fast[wrong]}, plain TypeScript with ${plain[wrong]}`;
  return [{ segment, what }];
}
