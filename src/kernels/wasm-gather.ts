/**
 * Gathering from posting lists with the WASM kernels. The lists that a query probes are copied into linear memory one
 * after the other, some 0.1 ns an entry; marks and sums of passages are there, so the caller's scratch is left alone.
 */
import { checkGather, malformedList } from "./arguments.js";
import type { GatherScratch, PackedQuery, PostingLists, Probes } from "./backend.js";
import { MALFORMED_LIST } from "./wasm-exports.js";
import type { WasmMemory } from "./wasm-memory.js";

/** See `KernelBackend.gather`. Undefined, with nothing done, when the data do not fit into the memory. */
export function gather(
  memory: WasmMemory,
  query: PackedQuery,
  probes: Probes,
  postings: PostingLists,
  excluded: Uint8Array | null,
  scratch: GatherScratch,
  passages: Uint32Array,
  sums: Float32Array,
): number | undefined {
  const centroids = checkGather(query, probes, postings, excluded, scratch, passages, sums);
  const { nprobe, ids, scores } = probes;
  const limit = scratch.marks.length;
  memory.begin();
  const marks = memory.take(limit);
  const dense = memory.take(limit * 4);
  const reachedPassages = memory.take(limit * 4);
  const reachedSums = memory.take(limit * 4);
  const excludedMarks = excluded === null ? 0 : memory.take(limit);
  const list = memory.take(longestList(probes, postings, centroids));
  if (!memory.fits()) return undefined;

  const { kernels } = memory;
  const { u8, u32, f32 } = memory.views;
  u8.fill(0, marks, marks + limit);
  if (excluded !== null) u8.set(excluded, excludedMarks);
  let reached = 0;
  for (let q = 0; q < query.tokens; q++) {
    const missing = scores[(q + 1) * nprobe - 1]!;
    for (let n = q * nprobe; n < (q + 1) * nprobe; n++) {
      const centroid = ids[n]!;
      const gain = Math.fround(Math.fround(scores[n]! - missing) * query.scales[q]!);
      const bytes = postings.bytes.subarray(postings.offsets[centroid]!, postings.offsets[centroid + 1]!);
      u8.set(bytes, list);
      reached = kernels.gatherList(
        list,
        list + bytes.length,
        q + 1,
        gain,
        marks,
        dense,
        reachedPassages,
        reached,
        limit,
        excludedMarks,
      );
      if (reached === MALFORMED_LIST) throw malformedList(centroid);
    }
  }
  kernels.gatherSums(reachedPassages, reached, dense, reachedSums);
  passages.set(u32.subarray(reachedPassages / 4, reachedPassages / 4 + reached));
  sums.set(f32.subarray(reachedSums / 4, reachedSums / 4 + reached));
  return reached;
}

/** Bytes of the longest list that is probed; checks the probes and where their lists are. */
function longestList({ ids }: Probes, { offsets, bytes }: PostingLists, centroids: number): number {
  let longest = 0;
  for (const centroid of ids) {
    if (centroid >= centroids) {
      throw new RangeError(`probes.ids must be below ${centroids}, found ${centroid}`);
    }
    const begin = offsets[centroid]!;
    const end = offsets[centroid + 1]!;
    if (begin > end || end > bytes.length) throw malformedList(centroid);
    if (end - begin > longest) longest = end - begin;
  }
  return longest;
}
