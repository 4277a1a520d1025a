/**
 * Several neighbouring segments as one, without the passages of deleted documents. Codes, residuals and norms are copied
 * as they are, so every score stays the same, bit for bit.
 */
import type { Codec } from "../codec/codec.js";
import { throwIfAborted } from "../common/abort.js";
import type { Segment } from "./segment.js";
import { SegmentWriter, type WrittenSegment } from "./segment-writer.js";

export interface MergeInput {
  readonly folder: string;
  readonly indexId: string;
  /** The codec of the index, which all segments are seen with. */
  readonly codec: Codec;
  /** In the order of their passages. */
  readonly segments: readonly Segment[];
  readonly signal: AbortSignal | undefined;
  /** Passages written so far. */
  readonly onPassages: (count: number) => void;
}

/** Passages that are checked and written between two looks at the signal. */
const BATCH = 256;

/** The published segment; null when no passage is live. Errors: CORRUPT naming the file; ABORTED, DISK_FULL, IO. */
export async function mergeSegments(input: MergeInput): Promise<WrittenSegment | null> {
  const { folder, indexId, codec, segments, signal } = input;
  if (segments.every((segment) => livePassages(segment) === 0)) return null;
  const writer = await SegmentWriter.create(folder, indexId, codec);
  try {
    for (const segment of segments) {
      segment.checkMapped();
      const { live } = segment;
      const total = livePassages(segment);
      for (let from = 0; from < total; from += BATCH) {
        throwIfAborted(signal, "the compaction");
        const to = Math.min(from + BATCH, total);
        segment.ensureTokens(live, from, to);
        for (let i = from; i < to; i++)
          await copyPassage(segment, live === null ? i : live[i]!, codec, writer);
        input.onPassages(to - from);
        // Copying waits for the disk only now and then; others want their turn.
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    return await writer.finish();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

export function livePassages({ live, passages }: Segment): number {
  return live === null ? passages : live.length;
}

export function liveTokens({ live, offsets, tokens }: Segment): number {
  if (live === null) return tokens;
  let sum = 0;
  for (const ordinal of live) sum += offsets[ordinal + 1]! - offsets[ordinal]!;
  return sum;
}

async function copyPassage(
  segment: Segment,
  ordinal: number,
  codec: Codec,
  writer: SegmentWriter,
): Promise<void> {
  const { numbers, documents, offsets, compressed } = segment;
  const from = offsets[ordinal]!;
  const to = offsets[ordinal + 1]!;
  await writer.add(numbers[ordinal]!, documents[ordinal]!, {
    codes: compressed.codes.subarray(from, to),
    residuals: compressed.residuals.subarray(from * codec.residualBytes, to * codec.residualBytes),
    inverseNorms: compressed.inverseNorms.subarray(from, to),
  });
}
