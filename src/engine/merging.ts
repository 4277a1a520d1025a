/** Merging of segments within a write: what to merge, and one commit for each run of neighbours. */
import { throwIfAborted } from "../common/abort.js";
import { isMaxsimError } from "../common/errors.js";
import type { ProgressListener } from "../common/progress.js";
import type { SegmentRecord } from "../documents/records.js";
import { chooseMerges, type MergeRun } from "../indexing/merge-policy.js";
import { livePassages, liveTokens, mergeSegments } from "../indexing/merge-segments.js";
import type { Segment } from "../indexing/segment.js";
import { MAX_SEGMENT_TOKENS } from "../indexing/segment-writer.js";
import type { LoadedSnapshot } from "./load-snapshot.js";
import type { Writer } from "./write-session.js";

export interface MergeOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: ProgressListener;
}

/** Live tokens that a write rewrites at most by itself, beside four times what it wrote: some tenths of a second. */
const AUTOMATIC_BUDGET = 1_000_000;

/** What a write does by itself after its commit. That is done: a failure here is worth a warning. */
export async function mergeAfterWrite(writer: Writer): Promise<void> {
  try {
    const budget = Math.max(AUTOMATIC_BUDGET, 4 * writer.written.tokens);
    await mergeRuns(writer, {}, (segments) =>
      chooseMerges(segments.map(mergeCandidate), { maxSegmentTokens: MAX_SEGMENT_TOKENS, budget }),
    );
  } catch (error) {
    if (!isMaxsimError(error)) throw error;
    writer.context.logger.warn(`segments were not merged: ${error.message}`);
  }
}

export function mergeCandidate(segment: Segment): { tokens: number; liveTokens: number } {
  return { tokens: segment.tokens, liveTokens: liveTokens(segment) };
}

/**
 * Merges run after run, each one generation, so that little is lost when it is cut short.
 * @returns passages of deleted documents that were left out.
 */
export async function mergeRuns(
  writer: Writer,
  options: MergeOptions,
  choose: (segments: readonly Segment[]) => MergeRun[],
): Promise<{ readonly droppedPassages: number }> {
  const first = await writer.open();
  let droppedPassages = 0;
  const runs = choose(inOrder(first));
  const total = runs.reduce((sum, run) => sum + passagesOf(inOrder(first), run), 0);
  let done = 0;
  // From the end, so that places before a run stay what they are.
  for (const run of [...runs].reverse()) {
    throwIfAborted(options.signal, "the compaction");
    const loaded = await writer.open();
    const segments = inOrder(loaded).slice(run.from, run.to);
    const { segments: records, nextSegment, indexId } = loaded.catalog;
    const written = await mergeSegments({
      folder: writer.context.folder,
      indexId,
      codec: loaded.codec!.codec,
      segments,
      signal: options.signal,
      onPassages(count) {
        done += count;
        options.onProgress?.({ stage: "merge", done, total, unit: "passages" });
      },
    });
    const merged: SegmentRecord[] =
      written === null ? [] : [{ segmentNo: nextSegment, codecNo: loaded.codec!.record.codecNo, ...written }];
    writer.commit({
      operation: "compact",
      segments: merged,
      dropSegments: records.slice(run.from, run.to).map(({ segmentNo }) => segmentNo),
      purgeBefore: writer.oldestInUse(),
    });
    droppedPassages += segments.reduce((sum, segment) => sum + segment.passages - livePassages(segment), 0);
  }
  return { droppedPassages };
}

/** Segments in the order of the catalog's records. */
export function inOrder({ catalog, segments }: LoadedSnapshot): Segment[] {
  return catalog.segments.map(({ file }) => segments.get(file.fileId)!);
}

function passagesOf(segments: readonly Segment[], { from, to }: MergeRun): number {
  return segments.slice(from, to).reduce((sum, segment) => sum + livePassages(segment), 0);
}
