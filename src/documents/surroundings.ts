/** What lies in an index folder beside the catalog and the files that it names. */
import { join } from "node:path";
import { JOURNAL_NAME } from "../storage/encode-journal.js";
import {
  FILE_FOLDERS,
  FILE_TYPES,
  type FileType,
  isPublishedBaseName,
  isTemporaryBaseName,
} from "../storage/file-names.js";
import { HISTORY_NAME, unreadableHistoryLines } from "../storage/history-log.js";
import { damagedLocks } from "../storage/lock-files.js";
import { nodeFileSystem } from "../storage/node-file-system.js";
import { REPAIR_FOLDER } from "../storage/repair-folder.js";
import { walDamage } from "../storage/wal-check.js";
import { CATALOG_NAME } from "./connection.js";
import { STAGING_NAME } from "./staging.js";

export interface Surroundings {
  /** `file` is relative to the folder. */
  readonly problems: readonly { readonly file: string; readonly offset?: number; readonly what: string }[];
  /** Leftovers of a write that did not reach its end; the next one takes them up or removes them. */
  readonly notes: readonly string[];
  /** Segment and codec files by their names, relative to the folder, whoever names them. */
  readonly published: readonly string[];
  /** Other files in their folders, which are never touched. */
  readonly foreign: readonly string[];
}

/** Errors: IO. */
export async function lookAround(folder: string): Promise<Surroundings> {
  const names = await nodeFileSystem.list(folder);
  const notes: string[] = [];
  const published: string[] = [];
  const foreign: string[] = [];
  if (names.includes(JOURNAL_NAME)) {
    notes.push(`${JOURNAL_NAME}: an add did not reach its end; the next one goes on with what it encoded`);
  }
  const temporary = names.filter(
    (name) => isTemporaryBaseName(name) || name === STAGING_NAME || name === REPAIR_FOLDER,
  );
  for (const type of Object.keys(FILE_TYPES) as FileType[]) {
    const subfolder = FILE_FOLDERS[type];
    for (const base of await nodeFileSystem.list(join(folder, subfolder))) {
      const name = `${subfolder}/${base}`;
      if (isPublishedBaseName(type, base)) published.push(name);
      else (isTemporaryBaseName(base) ? temporary : foreign).push(name);
    }
  }
  for (const name of temporary) notes.push(`${name}: a write is at work, or one was cut short`);
  const lines = unreadableHistoryLines(folder);
  if (lines > 0) notes.push(`${HISTORY_NAME}: ${lines} ${lines === 1 ? "line" : "lines"} cannot be read`);
  const wal = `${CATALOG_NAME}-wal`;
  // A second look tells damage from a write that was under way at the first one.
  const log = walDamage(join(folder, wal)) === undefined ? undefined : walDamage(join(folder, wal));
  const problems = [...damagedLocks(folder), ...(log === undefined ? [] : [{ file: wal, ...log }])];
  return { problems, notes, published, foreign };
}
