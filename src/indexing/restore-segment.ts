/** Segments written again from what a damaged file still has: codes and residuals; everything else follows from them. */
import type { Codec } from "../codec/codec.js";
import { inverseNorms } from "../codec/inverse-norms.js";
import { throwIfAborted } from "../common/abort.js";
import type { PassageTable, SegmentImage } from "./segment-image.js";
import { SegmentWriter, type WrittenSegment } from "./segment-writer.js";

export interface RestoreInput {
  /** Folder that the file is published in, under its final name. */
  readonly folder: string;
  readonly indexId: string;
  readonly image: SegmentImage;
  /** All passages of the damaged segment. */
  readonly table: PassageTable;
  /** Ascending ordinals of those that are written; null for all. */
  readonly kept: Uint32Array | null;
  readonly signal: AbortSignal | undefined;
  /** Passages written so far. */
  readonly onPassages?: (done: number, total: number) => void;
}

/** Tokens that are read at once. */
const BATCH_TOKENS = 8192;

/**
 * The segment of the kept passages; null when a code names no centroid of the codec, or nothing is kept. Norms and posting
 * lists are computed again, so a segment of all passages that was sound but for those is written with the bytes that it
 * had. Errors: CORRUPT, ABORTED, DISK_FULL, IO.
 */
export async function restoreSegment(input: RestoreInput): Promise<WrittenSegment | null> {
  const { folder, indexId, image, table, signal } = input;
  const kept = input.kept ?? Uint32Array.from(table.numbers.keys());
  if (kept.length === 0) return null;
  const starts = startsOf(table.lengths);
  const writer = await SegmentWriter.create(folder, indexId, image.codec);
  try {
    for (let k = 0; k < kept.length; ) {
      throwIfAborted(signal, "the repair");
      // Neighbours are read together.
      const first = k;
      const from = starts[kept[first]!]!;
      do k++;
      while (k < kept.length && kept[k] === kept[k - 1]! + 1 && starts[kept[k]! + 1]! - from <= BATCH_TOKENS);
      if (!(await copyTokens(writer, input, kept.subarray(first, k), starts))) {
        await writer.abort();
        return null;
      }
      input.onPassages?.(k, kept.length);
    }
    return await writer.finish();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

/** Copies neighbouring passages; false when one of their codes cannot be. */
async function copyTokens(
  writer: SegmentWriter,
  { image, table }: RestoreInput,
  ordinals: Uint32Array,
  starts: Float64Array,
): Promise<boolean> {
  const { codec } = image;
  const from = starts[ordinals[0]!]!;
  const { codes, residuals } = await image.tokens(from, starts[ordinals.at(-1)! + 1]!);
  if (!areCodes(codes, codec)) return false;
  const norms = inverseNorms(codec, codes, residuals);
  const { residualBytes } = codec;
  for (const p of ordinals) {
    const [a, b] = [starts[p]! - from, starts[p + 1]! - from];
    await writer.add(table.numbers[p]!, table.documents[p]!, {
      codes: codes.subarray(a, b),
      residuals: residuals.subarray(a * residualBytes, b * residualBytes),
      inverseNorms: norms.subarray(a, b),
    });
  }
  return true;
}

function areCodes(codes: Uint16Array | Uint32Array, { codebook }: Codec): boolean {
  for (let t = 0; t < codes.length; t++) if (codes[t]! >= codebook.size) return false;
  return true;
}

/** Number of the first token of each passage, then of all. */
export function startsOf(lengths: Uint32Array): Float64Array {
  const starts = new Float64Array(lengths.length + 1);
  for (let p = 0; p < lengths.length; p++) starts[p + 1] = starts[p]! + lengths[p]!;
  return starts;
}
