/** Child of the rig of uses: one row, on a copy of an index. */
import { join } from "node:path";
import { copyIndex } from "../damage/fixture.mjs";
import { serveCases } from "../lib/case-server.mjs";
import { USE_ROWS } from "./use-rows.mjs";

serveCases(async ({ scratch, index, tier }) => async ({ row }) => {
  const folder = join(scratch, `used-${process.pid}`);
  copyIndex(index, folder);
  const size = (short, long) => (tier === "short" ? short : long);
  try {
    return { outcome: await USE_ROWS.get(row).run({ folder, scratch, size }) };
  } catch (error) {
    return { failure: error.stack ?? String(error) };
  }
});
