/**
 * What every write goes through: the writer lock, the newest generation, removal of what a crash left behind or nobody
 * needs any more, and the log of commit times.
 */

import { isMaxsimError } from "../common/errors.js";
import type { Logger } from "../common/logger.js";
import { Catalog, type CatalogChange } from "../documents/catalog.js";
import { removeGarbage } from "../documents/garbage.js";
import type { Snapshot } from "../documents/records.js";
import type { KernelBackend } from "../kernels/backend.js";
import type { FileMapper } from "../storage/file-mapper.js";
import { appendHistory, settledGeneration } from "../storage/history-log.js";
import { WriterLock } from "../storage/lock.js";
import { heldGenerations } from "../storage/snapshot-lock.js";
import { filesOf, type LoadedSnapshot, openGeneration } from "./load-snapshot.js";

export interface WriteContext {
  readonly folder: string;
  readonly kernels: KernelBackend;
  readonly mapper: FileMapper | undefined;
  readonly logger: Logger;
  /** What this object has loaded; its files are taken over where they are still current. */
  readonly loaded: LoadedSnapshot | null;
}

/** How long files and rows stay after they were superseded, so that tools that look in between find them. */
export const DEFAULT_GRACE_MS = 60_000;

/** One writer at work. */
export class Writer {
  /** What was opened so far, the newest last; later ones share files with earlier ones. */
  private readonly opened: LoadedSnapshot[] = [];

  constructor(
    readonly context: WriteContext,
    readonly catalog: Catalog,
    private readonly graceMs: number,
  ) {}

  /** The newest generation. */
  get snapshot(): Snapshot {
    return this.catalog.snapshot();
  }

  /** Its files, opened. */
  async open(): Promise<LoadedSnapshot> {
    const generation = this.catalog.generation();
    const last = this.opened.at(-1);
    if (last?.catalog.generation === generation.snapshot.generation) return last;
    const { folder, loaded, mapper } = this.context;
    const next = await openGeneration(folder, generation, last ?? loaded, mapper);
    this.opened.push(next);
    return next;
  }

  /** Commits, and notes the time. Returns the new generation. */
  commit(change: CatalogChange): number {
    const generation = this.catalog.commit(change);
    try {
      appendHistory(this.context.folder, { generation, time: Date.now() });
    } catch (error) {
      // The generation is there; without its time files only stay longer.
      if (!isMaxsimError(error)) throw error;
      this.context.logger.warn(
        `generation ${generation} is committed, its time is not noted: ${error.message}`,
      );
    }
    return generation;
  }

  /** The oldest generation that somebody may still read. */
  oldestInUse(graceMs = this.graceMs): number {
    const { generation } = this.catalog.snapshot();
    const { folder } = this.context;
    return Math.min(
      generation,
      settledGeneration(folder, generation, graceMs),
      ...heldGenerations(folder, generation),
    );
  }

  /** Removes files that no generation in use names; returns their names. */
  removeGarbage(graceMs = this.graceMs): Promise<string[]> {
    return removeGarbage(this.context.folder, this.catalog.filesInUse(this.oldestInUse(graceMs)));
  }

  /** Closes files that only the writer opened. */
  close(): void {
    const { loaded } = this.context;
    const kept = new Set(loaded === null ? [] : filesOf(loaded));
    const own = new Set(this.opened.flatMap(filesOf));
    for (const file of own) if (!kept.has(file)) file.close();
  }
}

/** Runs `work` as the one writer on the newest generation, after clearing what a crash left behind. Errors: LOCKED. */
export async function withWriter<T>(
  context: WriteContext,
  work: (writer: Writer) => Promise<T>,
  graceMs = DEFAULT_GRACE_MS,
): Promise<T> {
  const lock = WriterLock.acquire(context.folder);
  try {
    const catalog = Catalog.open(context.folder, { readOnly: false });
    const writer = new Writer(context, catalog, graceMs);
    try {
      await writer.removeGarbage();
      return await work(writer);
    } finally {
      writer.close();
      catalog.close();
    }
  } finally {
    lock.release();
  }
}
