/**
 * What every write goes through: the writer lock, removal of what a crash left behind or nobody needs any more, the write
 * itself, and the merging of segments that have become too many.
 */
import { Catalog } from "../documents/catalog.js";
import { WriterLock } from "../storage/lock.js";
import { mergeAfterWrite } from "./merging.js";
import { DEFAULT_GRACE_MS, type WriteContext, Writer } from "./write-session.js";

export { type WriteContext, Writer } from "./write-session.js";

export interface WriterOptions {
  /** How long superseded files and rows stay. */
  readonly graceMs?: number;
  /** Overrides the context's. */
  readonly compaction?: "auto" | "off";
}

/** Runs `work` as the one writer on the newest generation, after clearing what a crash left behind. Errors: LOCKED. */
export async function withWriter<T>(
  context: WriteContext,
  work: (writer: Writer) => Promise<T>,
  options: WriterOptions = {},
): Promise<T> {
  const { graceMs = DEFAULT_GRACE_MS, compaction = context.compaction ?? "auto" } = options;
  const lock = WriterLock.acquire(context.folder);
  try {
    const catalog = Catalog.open(context.folder, { readOnly: false });
    const writer = new Writer(context, catalog, graceMs);
    try {
      await writer.removeGarbage();
      const result = await work(writer);
      if (compaction === "auto" && writer.written.commits > 0) await mergeAfterWrite(writer);
      return result;
    } finally {
      writer.close();
      catalog.close();
    }
  } finally {
    lock.release();
  }
}
