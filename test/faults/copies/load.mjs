import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** Backup and restore of a copied dist/. */
export async function loadCopies(dist) {
  const load = (path) => import(pathToFileURL(join(dist, path)).href);
  const [{ backupIndex }, { restoreIndex }] = await Promise.all([
    load("engine/backup.js"),
    load("engine/restore.js"),
  ]);
  return { backupIndex, restoreIndex };
}
