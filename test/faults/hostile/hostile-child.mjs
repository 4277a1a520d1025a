/** Child of the rig of hostile inputs: one row of the table, and what memory it took. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { serveCases } from "../lib/case-server.mjs";
import { Context } from "./context.mjs";
import { ROWS } from "./rows.mjs";

const MIB = 1 << 20;

/** Starts the count of the peak anew where the system can; else it is that of the whole process. */
function resetPeak() {
  try {
    writeFileSync("/proc/self/clear_refs", "5");
  } catch (error) {
    if (!["ENOENT", "EACCES", "EPERM"].includes(error.code)) throw error;
  }
}

/** Bytes of the highest resident size so far. */
function peak() {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]) * 1024;
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
    return process.resourceUsage().maxRSS * 1024;
  }
}

serveCases(async ({ scratch, model, tier }) => {
  return async ({ row: name }) => {
    const row = ROWS.get(name);
    const context = new Context(join(scratch, `hostile-${process.pid}`), model, tier);
    resetPeak();
    const before = process.memoryUsage.rss();
    const start = performance.now();
    try {
      const outcome = await row.run(context);
      const grown = Math.round((peak() - before) / MIB);
      const { memory = 300 } = row;
      const seconds = (performance.now() - start) / 1000;
      if (grown > memory) return { failure: `takes ${grown} MiB, at most ${memory} were expected` };
      return { outcome, grown, seconds };
    } catch (error) {
      return { failure: error.stack ?? String(error) };
    } finally {
      rmSync(context.folder, { recursive: true, force: true });
    }
  };
});
