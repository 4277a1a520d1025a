/** Posting lists for the kernel suites, what gathering gives for them, and both operations from their definitions. */
import type { GatherScratch, KernelBackend, PostingLists } from "../../../src/kernels/backend.js";

export interface GatherCase {
  readonly tokens: number;
  /** One a query token. */
  readonly scales: Float32Array;
  readonly nprobe: number;
  readonly ids: Uint32Array;
  readonly scores: Float32Array;
  readonly postings: PostingLists;
  readonly excluded: Uint8Array | null;
  /** Passages of the segment. */
  readonly passages: number;
}

/** Lists as they are stored; `bytes` is the least number of bytes that a difference takes. */
export function encodeLists(lists: readonly (readonly number[])[], bytes = 1): PostingLists {
  const encoded: number[] = [];
  const offsets = [0];
  for (const list of lists) {
    list.forEach((passage, i) => {
      let rest = i === 0 ? passage : passage - list[i - 1]!;
      for (let n = 1; n < bytes || rest > 0x7f; n++) {
        encoded.push((rest & 0x7f) | 0x80);
        rest = Math.floor(rest / 128);
      }
      encoded.push(rest);
    });
    offsets.push(encoded.length);
  }
  return { offsets: Uint32Array.from(offsets), bytes: Uint8Array.from(encoded) };
}

/** The result of one call; outputs and working memory start out as garbage, so that what is not written shows. */
export function gathered(
  kernels: KernelBackend,
  input: GatherCase,
  scratch: GatherScratch = dirtyScratch(input.passages),
): Record<string, ArrayBufferView> {
  const { tokens, nprobe, ids, scores, postings, excluded } = input;
  const passages = new Uint32Array(input.passages + 1).fill(12_345);
  const sums = new Float32Array(input.passages + 1).fill(-12_345);
  const probes = { nprobe, ids, scores };
  const count = kernels.gather(
    queryOf(tokens, input.scales),
    probes,
    postings,
    excluded,
    scratch,
    passages,
    sums,
  );
  return {
    count: Uint32Array.of(count),
    passages: passages.subarray(0, count),
    sums: sums.subarray(0, count),
    marks: scratch.marks,
    beyond: Float32Array.of(passages.at(-1)!, sums.at(-1)!),
  };
}

export function dirtyScratch(passages: number): GatherScratch {
  return { marks: new Uint8Array(passages), sums: new Float32Array(passages).fill(Number.NaN) };
}

/** Only tokens and scales count for gathering. */
function queryOf(tokens: number, scales: Float32Array) {
  const lanes = Math.ceil(tokens / 16) * 16;
  const padded = new Float32Array(lanes);
  padded.set(scales);
  return {
    tokens,
    lanes,
    dim: 8,
    values: new Int8Array(8 * lanes),
    scales: padded,
    bias: new Int32Array(lanes),
  };
}

/** Gathering from its definition, over lists as they were before they were encoded. */
export function gatheredByDefinition(
  input: Omit<GatherCase, "postings">,
  lists: readonly (readonly number[])[],
): { passages: number[]; sums: number[] } {
  const { tokens, nprobe, ids, scores, scales, excluded } = input;
  const sums = new Map<number, number>();
  for (let q = 0; q < tokens; q++) {
    const reached = new Set<number>();
    for (let n = 0; n < nprobe; n++) {
      const above = Math.fround(scores[q * nprobe + n]! - scores[(q + 1) * nprobe - 1]!);
      const gain = Math.fround(above * scales[q]!);
      for (const passage of lists[ids[q * nprobe + n]!]!) {
        if (reached.has(passage) || (excluded !== null && excluded[passage] !== 0)) continue;
        reached.add(passage);
        sums.set(passage, Math.fround((sums.get(passage) ?? 0) + gain));
      }
    }
  }
  return { passages: [...sums.keys()], sums: [...sums.values()] };
}

/** Selection from its definition: sort, cut off, put back in order. */
export function selectedByDefinition(scores: Float32Array, limit: number): number[] {
  const key = (i: number): number => (Number.isNaN(scores[i]!) ? Number.NEGATIVE_INFINITY : scores[i]!);
  return Array.from(scores, (_, i) => i)
    .sort((a, b) => (key(a) === key(b) ? a - b : key(a) > key(b) ? -1 : 1))
    .slice(0, limit)
    .sort((a, b) => a - b);
}
