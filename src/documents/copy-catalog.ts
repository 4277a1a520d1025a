/**
 * A copy of a catalog that others may be writing to, made through SQLite's backup interface: the file itself is never
 * read, because a part of the newest generation may stand in the log, and because closing a file that SQLite has open
 * frees SQLite's locks on it.
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import { throwIfAborted } from "../common/abort.js";
import { syncFile } from "../storage/folder-moves.js";
import { CATALOG_NAME, guard, openCatalog } from "./connection.js";

export interface CopyCatalogOptions {
  readonly signal?: AbortSignal | undefined;
  /** What an abort interrupts, for its error. */
  readonly what: string;
  /** Bytes copied so far; less than before when a commit made SQLite begin again. */
  readonly onBytes?: ((done: number) => void) | undefined;
}

/** 4 MiB: some milliseconds in which nothing else runs on this thread. */
const PAGES_A_STEP = 1024;
const PAGE_BYTES = 4096;
/** After each commit of another connection SQLite begins again; so often, then the rest is copied in one step. */
const MAX_RESTARTS = 3;
const ALL_PAGES = 0x7fffffff;

/**
 * Copies the catalog of `folder` to `target`/catalog.sqlite, which must not exist; durable when it resolves. The copy is one
 * committed state, the newest one at the time it is complete. Errors: INDEX_NOT_FOUND, FORMAT_TOO_NEW, CORRUPT, LOCKED,
 * ABORTED, DISK_FULL, IO.
 */
export async function copyCatalog(
  folder: string,
  target: string,
  { signal, what, onBytes }: CopyCatalogOptions,
): Promise<void> {
  const db = openCatalog(folder, true);
  const copy = join(target, CATALOG_NAME);
  let remaining = Number.POSITIVE_INFINITY;
  let restarts = 0;
  try {
    const { totalPages: pages } = await db.backup(copy, {
      progress({ totalPages, remainingPages }) {
        throwIfAborted(signal, what);
        // A step that copied something new leaves less than the one before it.
        if (remainingPages >= remaining) restarts++;
        remaining = remainingPages;
        onBytes?.((totalPages - remainingPages) * PAGE_BYTES);
        return restarts < MAX_RESTARTS ? PAGES_A_STEP : ALL_PAGES;
      },
    });
    onBytes?.(pages * PAGE_BYTES);
  } catch (error) {
    guard(copy, `copy ${db.name} to`, () => {
      throw error;
    });
  } finally {
    guard(db.name, "close", () => db.close());
  }
  await syncFile(copy);
}

/** Bytes of the catalog file of an index folder; 0 when there is none. For estimates. */
export function catalogBytes(folder: string): number {
  return statSync(join(folder, CATALOG_NAME), { throwIfNoEntry: false })?.size ?? 0;
}
