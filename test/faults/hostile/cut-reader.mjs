/** Searches an index whose segment file is cut meanwhile, and tells the code of the error, or that all answers were alike. */
import { readdirSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { randomVectors } from "../damage/fixture.mjs";
import { Random } from "../lib/random.mjs";

const { Index } = await import(new URL("../../../dist/index.js", import.meta.url));
const [folder, timing] = process.argv.slice(2);
const query = randomVectors(new Random(5), 3);
const index = await Index.open(folder, { threads: 2 });
const expected = await index.searchEmbeddings(query, { k: 20 });
const cut = () => {
  for (const name of readdirSync(join(folder, "segments"))) truncateSync(join(folder, "segments", name), 0);
};
let outcome = "same";
try {
  const searches = () => Array.from({ length: 50 }, () => index.searchEmbeddings(query, { k: 20 }));
  if (timing === "between searches") cut();
  const running = searches();
  if (timing === "during searches") setImmediate(cut);
  for (const { status, value, reason } of await Promise.allSettled(running)) {
    if (status === "rejected") outcome = reason.code ?? String(reason);
    else if (!isDeepStrictEqual(value, expected)) throw new Error("another answer");
  }
} finally {
  process.send(outcome, () => process.exit(0));
}
