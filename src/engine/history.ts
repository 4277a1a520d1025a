/** What made the generations of an index, with the times that are known. */
import type { Catalog } from "../documents/catalog.js";
import { readHistory } from "../storage/history-log.js";
import type { HistoryEntry } from "./options.js";

/** At most `limit` generations up to number `newest`, newest first. Errors: CORRUPT, IO. */
export function historyOf(catalog: Catalog, newest: number, limit: number): HistoryEntry[] {
  const times = readHistory(catalog.folder, "all");
  return catalog.history(newest + 1, limit).map((record) => {
    const time = times.get(record.generation);
    return time === undefined ? record : { ...record, time: new Date(time) };
  });
}
