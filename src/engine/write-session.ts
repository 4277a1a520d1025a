/** What a writer works with: the newest generation, its files, commits with their times, and what nobody needs any more. */

import { isMaxsimError } from "../common/errors.js";
import type { Logger } from "../common/logger.js";
import type { Catalog, CatalogChange } from "../documents/catalog.js";
import { removeGarbage } from "../documents/garbage.js";
import type { Snapshot } from "../documents/records.js";
import type { RowRepair, RowRepairOptions } from "../documents/row-repair.js";
import type { KernelBackend } from "../kernels/backend.js";
import type { FileMapper } from "../storage/file-mapper.js";
import { appendHistory, settledGeneration } from "../storage/history-log.js";
import { heldGenerations } from "../storage/snapshot-lock.js";
import { filesOf, type LoadedSnapshot, openGeneration } from "./load-snapshot.js";

export interface WriteContext {
  readonly folder: string;
  readonly kernels: KernelBackend;
  readonly mapper: FileMapper | undefined;
  readonly logger: Logger;
  /** What this object has loaded; its files are taken over where they are still current. */
  readonly loaded: LoadedSnapshot | null;
  /** Whether writes merge segments by themselves; default "auto". */
  readonly compaction?: "auto" | "off";
}

/** How long files and rows stay after they were superseded, so that tools that look in between find them. */
export const DEFAULT_GRACE_MS = 60_000;

/** One writer at work. */
export class Writer {
  /** What was opened so far, the newest last; later ones share files with earlier ones. */
  private readonly opened: LoadedSnapshot[] = [];
  private committed = 0;
  private tokens = 0;

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
    for (const { tokens } of change.segments ?? []) this.tokens += tokens;
    this.note(generation);
    return generation;
  }

  /** Mends rows of the catalog, and notes the time when that made a generation. */
  repairRows(options: RowRepairOptions): RowRepair {
    const repair = this.catalog.repairRows(options);
    if (repair.generation !== null) this.note(repair.generation);
    return repair;
  }

  private note(generation: number): void {
    this.committed++;
    try {
      appendHistory(this.context.folder, { generation, time: Date.now() });
    } catch (error) {
      // The generation is there; without its time files only stay longer.
      if (!isMaxsimError(error)) throw error;
      this.context.logger.warn(
        `generation ${generation} is committed, its time is not noted: ${error.message}`,
      );
    }
  }

  /** Commits so far, and token vectors in the segments that they added. */
  get written(): { readonly commits: number; readonly tokens: number } {
    return { commits: this.committed, tokens: this.tokens };
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
