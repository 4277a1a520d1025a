/**
 * The process that is killed: makes a backup or restores one.
 *
 *   driver.mjs <dist> <watched folder> backup <index> <target>
 *   driver.mjs <dist> <watched folder> restore <backup> <folder>
 *
 * Unlinks <watched folder>.go when it is ready, a mark for the library that counts calls, and prints DONE at its end.
 */
import { unlinkSync, writeSync } from "node:fs";
import { loadCopies } from "./load.mjs";

const [dist, watched, command, from, to] = process.argv.slice(2);
const { backupIndex, restoreIndex } = await loadCopies(dist);
try {
  unlinkSync(`${watched}.go`);
} catch (error) {
  if (error.code !== "ENOENT") throw error;
}
if (command === "backup") await backupIndex(from, to);
else await restoreIndex(from, to, { replace: true });
writeSync(1, "DONE\n");
