// How LanceDB is installed, started and asked.

import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { output } from "../line-process.mjs";

const HERE = import.meta.dirname;
const PACKAGE = "@lancedb/lancedb";
const { dependencies } = JSON.parse(readFileSync(join(HERE, "package.json"), "utf8"));

export const lancedb = {
  name: "lancedb",
  version: dependencies[PACKAGE],

  /**
   * Bits and `nprobes` are its own defaults. One partition for each square root of the token vectors is its advice for
   * rows; left alone it counts passages and makes few partitions. Without refinement its scores are not MaxSim.
   */
  parameters: ({ tokens }) => ({
    numBits: 1,
    numPartitions: Math.round(Math.sqrt(tokens)),
    nprobes: 20,
    refineFactor: 50,
  }),

  /** Its driver, LanceDB installed if need be. @param {string} folder @param {(message: string) => void} say */
  async prepare(folder, say) {
    const installed = join(folder, "node_modules", PACKAGE, "package.json");
    if (!existsSync(installed) || JSON.parse(readFileSync(installed, "utf8")).version !== this.version) {
      say(`lancedb: npm install ${PACKAGE}@${this.version}`);
      mkdirSync(folder, { recursive: true });
      copyFileSync(join(HERE, "package.json"), join(folder, "package.json"));
      const install = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder];
      // Its binary is an optional package like the embedding models, which nothing here needs.
      await output([...install, "--omit=optional", `${PACKAGE}-${platform()}@${this.version}`]);
    }
    return {
      command: [process.execPath, join(HERE, "driver.mjs")],
      options: ["--modules", folder],
      note: undefined,
    };
  },

  buildOptions: ({ numBits, numPartitions }) => [
    ...["--num-bits", numBits, "--num-partitions", numPartitions],
  ],

  /** What of the parameters the index depends on. */
  indexKey: ({ numBits, numPartitions }) => ({ numBits, numPartitions }),

  serveOptions: ({ k, nprobes, refineFactor }) => [
    ...["--k", k, "--nprobes", nprobes, "--refine-factor", refineFactor],
  ],

  environment: (threads) => ({
    LANCE_CPU_THREADS: String(threads),
    TOKIO_WORKER_THREADS: String(threads),
    RAYON_NUM_THREADS: String(threads),
  }),

  kernel: () => undefined,

  /** Bytes that a build holds at once: measured, 2 KiB a token vector at most on small sets. */
  buildMemory: ({ tokens }) => Math.min(tokens * 2048, 4 * 2 ** 30),
};

function platform() {
  const suffix = { linux: "gnu", win32: "msvc" }[process.platform];
  return [process.platform, process.arch, suffix].filter(Boolean).join("-");
}
