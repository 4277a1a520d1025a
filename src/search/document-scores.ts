/** Exact scores of documents that are named, however many there are in the snapshot. */
import { ordinalOf } from "../indexing/segment.js";
import type { KernelBackend, PackedQuery } from "../kernels/backend.js";
import { scoreCentroids } from "./centroid-scores.js";
import { type ScoringQuery, scorePassages } from "./exact.js";
import type { SearchSnapshot } from "./types.js";
import type { Workspace } from "./workspace.js";

/** Parallel to the documents that were asked for. */
export interface BestPassages {
  /** MaxSim; NaN for a document that is not live here or has no token vector. */
  readonly scores: Float32Array;
  /** Number of the passage that gave the score, the first of equals; -1 where there is none. */
  readonly passages: Int32Array;
}

/**
 * The scores that an exhaustive search gives: MaxSim of each document's best passage, in the order of `documents`; NaN for a
 * document that is not live here or has no token vector. Takes a pass over the codebook and the tokens of these documents.
 * Errors: CORRUPT naming the file.
 */
export function scoreDocuments(
  snapshot: SearchSnapshot,
  packed: PackedQuery,
  documents: ArrayLike<number>,
  kernels: KernelBackend,
  workspace: Workspace,
): Float32Array {
  return bestPassages(snapshot, packed, documents, kernels, workspace).scores;
}

/** As `scoreDocuments`, with the passages that gave the scores. */
export function bestPassages(
  snapshot: SearchSnapshot,
  packed: PackedQuery,
  documents: ArrayLike<number>,
  kernels: KernelBackend,
  workspace: Workspace,
): BestPassages {
  const best = {
    scores: new Float32Array(documents.length).fill(Number.NaN),
    passages: new Int32Array(documents.length).fill(-1),
  };
  if (documents.length === 0) return best;
  for (const segment of snapshot.segments) segment.checkMapped();
  const { codebook, quantizer } = snapshot.codec;
  const [tables] = scoreCentroids(codebook, [packed], false, kernels, workspace);
  try {
    scoreInto(best, snapshot, { packed, quantizer, table: tables!.scores }, documents, kernels);
  } finally {
    workspace.giveTables(tables!);
  }
  return best;
}

function scoreInto(
  best: BestPassages,
  { segments }: SearchSnapshot,
  query: ScoringQuery,
  documents: ArrayLike<number>,
  kernels: KernelBackend,
): void {
  for (const segment of segments) {
    const passages: number[] = [];
    const places: number[] = [];
    for (let place = 0; place < documents.length; place++) {
      const documentNo = documents[place]!;
      // Numbers of documents ascend as those of their passages do.
      for (let p = ordinalOf(segment.documents, documentNo); segment.documents[p] === documentNo; p++) {
        if (segment.dead?.[p] === 1) continue;
        passages.push(p);
        places.push(place);
      }
    }
    if (passages.length === 0) continue;
    const found = scorePassages({ segment, passages: Uint32Array.from(passages) }, query, kernels);
    places.forEach((place, i) => {
      // False for NaN as well: the first finite score is taken.
      if (!Number.isFinite(found[i]) || best.scores[place]! >= found[i]!) return;
      best.scores[place] = found[i]!;
      best.passages[place] = segment.numbers[passages[i]!]!;
    });
  }
}
