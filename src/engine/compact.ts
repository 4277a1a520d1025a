/** Compaction: fewer segments, without what was deleted. Readers go on with the generation that they have. */
import { checkInteger } from "../common/check.js";
import type { ProgressListener } from "../common/progress.js";
import { chooseMerges, mergeEverything } from "../indexing/merge-policy.js";
import { MAX_SEGMENT_TOKENS } from "../indexing/segment-writer.js";
import { mergeCandidate, mergeRuns } from "./merging.js";
import { type ReclusterReport, recluster } from "./recluster.js";
import { type WriteContext, type Writer, withWriter } from "./writer.js";

export interface CompactOptions {
  /**
   * Merge as far as segments can grow, and drop every deleted passage. Default false: merge where a search gains by it,
   * as writes do by themselves.
   */
  readonly all?: boolean;
  /**
   * Train a new codec from the stored vectors and compress them again with it; for an index that has outgrown the codec
   * of its first documents. Costs a little precision, which the report states. Default false.
   */
  readonly recluster?: boolean;
  /** How long superseded files and rows stay, in milliseconds; nothing that a reader holds is removed. Default 60,000. */
  readonly graceMs?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: ProgressListener;
}

export interface CompactReport {
  /** The newest generation; that from before when there was nothing to do. */
  readonly generation: number;
  readonly segments: { readonly before: number; readonly after: number };
  /** Bytes of the segments and the codec that the newest generation names. */
  readonly bytes: { readonly before: number; readonly after: number };
  /** Passages of deleted documents that were left out. */
  readonly droppedPassages: number;
  /** Files that were removed because nobody needs them any more. Others follow with a later write. */
  readonly removedFiles: number;
  readonly recluster?: ReclusterReport;
}

/** Errors: INVALID_ARGUMENT, LOCKED, CORRUPT, ABORTED, DISK_FULL, IO; then the index is as it was after the last merge. */
export function compactIndex(context: WriteContext, options: CompactOptions = {}): Promise<CompactReport> {
  const graceMs =
    options.graceMs === undefined ? undefined : checkInteger("graceMs", options.graceMs, 0, 2 ** 40);
  return withWriter(
    context,
    async (writer) => {
      const before = writer.snapshot;
      const reclustered = options.recluster === true ? await recluster(writer, options) : null;
      const { droppedPassages } = reclustered ?? (await merge(writer, options));
      const removed = await removeUnused(writer, options);
      const after = writer.snapshot;
      return {
        generation: after.generation,
        segments: { before: before.segments.length, after: after.segments.length },
        bytes: { before: bytesOf(before), after: bytesOf(after) },
        droppedPassages,
        removedFiles: removed,
        ...(reclustered === null ? {} : { recluster: reclustered.report }),
      };
    },
    { compaction: "off", ...(graceMs === undefined ? {} : { graceMs }) },
  );
}

/**
 * Removes what nobody needs once the caller has gone on to the newest generation: during the compaction it read an older
 * one itself. Returns the newest generation and the number of files that were removed.
 */
export function afterCompaction(
  context: WriteContext,
  options: CompactOptions,
): Promise<Pick<CompactReport, "generation" | "removedFiles">> {
  const { graceMs } = options;
  return withWriter(
    context,
    async (writer) => {
      const removedFiles = await removeUnused(writer, options);
      return { generation: writer.snapshot.generation, removedFiles };
    },
    { compaction: "off", ...(graceMs === undefined ? {} : { graceMs }) },
  );
}

/** Rows and files. What was committed just now is young and stays for its grace time. */
async function removeUnused(writer: Writer, options: CompactOptions): Promise<number> {
  const oldest = writer.oldestInUse();
  if (writer.catalog.hasPurgeable(oldest)) writer.commit({ operation: "compact", purgeBefore: oldest });
  if (options.all === true && writer.written.commits > 0) writer.catalog.rewrite();
  return (await writer.removeGarbage()).length;
}

function merge(writer: Writer, options: CompactOptions): Promise<{ readonly droppedPassages: number }> {
  return mergeRuns(writer, options, (segments) => {
    const candidates = segments.map(mergeCandidate);
    if (options.all === true) return mergeEverything(candidates, MAX_SEGMENT_TOKENS);
    const budget = Number.POSITIVE_INFINITY;
    return chooseMerges(candidates, { maxSegmentTokens: MAX_SEGMENT_TOKENS, budget });
  });
}

function bytesOf({ segments, codec }: Writer["snapshot"]): number {
  return segments.reduce((sum, { file }) => sum + file.length, codec?.file.length ?? 0);
}
