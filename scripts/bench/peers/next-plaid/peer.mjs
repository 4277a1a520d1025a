// How next-plaid is built, started and asked.

import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { output } from "../line-process.mjs";
import { openBlasFlags } from "./openblas.mjs";

const CRATE = import.meta.dirname;
/** Vectors that its k-means compares at once, per thread, with up to `CENTROID_CHUNK` centroids. */
const VECTOR_CHUNK = 51_200;
const CENTROID_CHUNK = 10_240;
/** Passages that it quantizes at once. */
const ENCODED_AT_ONCE = 50_000;

export const nextPlaid = {
  name: "next-plaid",
  version: /^next-plaid = "=(.+)"$/m.exec(readFileSync(join(CRATE, "Cargo.toml"), "utf8"))[1],

  /** Its own defaults. */
  parameters: () => ({
    nIvfProbe: 8,
    nFullScores: 4096,
    centroidScoreThreshold: 0.4,
    centroidBatchSize: 100_000,
  }),

  /** Its driver, built if need be. @param {string} folder @param {(message: string) => void} say */
  async prepare(folder, say) {
    const target = join(folder, "target");
    mkdirSync(target, { recursive: true });
    await output(["cargo", "--version"]);
    const blas = await openBlasFlags(folder, say);
    say("next-plaid: cargo build --release (minutes the first time)");
    const build = ["cargo", "build", "--release", "--locked", "--manifest-path", join(CRATE, "Cargo.toml")];
    const features = blas === undefined ? [] : ["--features", "openblas"];
    const flags = ["-Ctarget-cpu=native", ...(blas ?? [])].join(" ");
    await output([...build, "--target-dir", target, ...features], { RUSTFLAGS: flags });
    const command = [join(target, "release", "peer-next-plaid")];
    return { command, options: [], note: blas === undefined ? "no BLAS" : "OpenBLAS" };
  },

  buildOptions: ({ nbits }) => ["--nbits", nbits],

  /** What of the parameters the index depends on. */
  indexKey: ({ nbits, codes }) => ({ nbits, codes }),

  /** The index of maxsim in the folder `codes`, in its format: for corpora that it cannot cluster in the memory there is. */
  async importCodes(codes, folder) {
    const { exportIndex } = await import("./export.mjs");
    await exportIndex(codes, folder);
    const sizes = readdirSync(folder).map((name) => statSync(join(folder, name)).size);
    return { bytesOnDisk: sizes.reduce((sum, size) => sum + size, 0) };
  },

  serveOptions: ({ k, nIvfProbe, nFullScores, centroidScoreThreshold, centroidBatchSize }) => [
    ...["--k", k, "--n-ivf-probe", nIvfProbe, "--n-full-scores", nFullScores],
    ...["--centroid-score-threshold", centroidScoreThreshold ?? "none"],
    ...["--centroid-batch-size", centroidBatchSize],
  ],

  environment: (threads) => ({
    RAYON_NUM_THREADS: String(threads),
    // Its own threads divide the work.
    OPENBLAS_NUM_THREADS: "1",
    NEXT_PLAID_REPORT_KERNEL: "1",
    // Large arrays on huge pages: half of a build is page faults otherwise.
    GLIBC_TUNABLES: "glibc.malloc.hugetlb=1",
  }),

  kernel: (messages) => /residual scoring: (.*)/.exec(messages)?.[1] ?? "unknown kernel",

  /** Bytes that a build holds at once: every vector as float32, copies of a sample, and score matrices. */
  buildMemory({ passages, tokens, dim }, threads) {
    const vectors = tokens * dim * 4;
    const sampled = Math.min(1, (1 + 16 * Math.sqrt(120 * passages)) / passages);
    const centroids = 2 ** Math.floor(Math.log2(16 * Math.sqrt(tokens)));
    const scores = threads * VECTOR_CHUNK * Math.min(centroids, CENTROID_CHUNK) * 4;
    const training = 2 * sampled * vectors + scores;
    const encoding = 2 * Math.min(1, ENCODED_AT_ONCE / passages) * vectors;
    return vectors + Math.max(training, encoding);
  },
};
