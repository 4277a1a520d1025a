// Indexes of corpora below .cache/bench/index: built in a process of their own, which is measured, and used again
// while the corpus and the code that decides what is in an index stay the same.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { codeFingerprint, readJson } from "../../lib/measured-index.mjs";
import { BootstrapError, say } from "../../lib/project.mjs";
import { BENCH_CACHE } from "../data/arxiv.mjs";
import { inFreshProcess } from "./fresh-process.mjs";
import { bytesByPart } from "./section-table.mjs";

/** Modules whose code decides the bytes of an index of vectors that are brought along. */
const DECIDING = ["codec", "documents", "indexing", "kernels", "storage"];

/**
 * @typedef {object} BuildRecord
 * @property {string} key
 * @property {Record<string, number>} seconds on the clock by stage: see build-index.mjs
 * @property {number} total seconds without reading and growing the vectors
 * @property {number} processorSeconds of all threads, reading and growing included
 * @property {number} centroids
 * @property {number} passages
 * @property {number} tokens
 * @property {Record<string, number>} bytes by part
 * @property {{before: import("./process-memory.mjs").ProcessMemory, during: import("./process-memory.mjs").ProcessMemory} | null} memory
 */

/**
 * @param {import("./corpus.mjs").Corpus} corpus
 * @param {{nbits: 1 | 2 | 4, rebuild?: boolean, anyCode?: boolean, withIds?: boolean, texts?: boolean}} options
 *   `anyCode`: take an index that other code built; `withIds` (default true): hand the vocabulary ids over;
 *   `texts`: with the bundled model's name and the texts, so that the command line can search it
 * @returns {Promise<{folder: string, record: BuildRecord}>}
 */
export async function benchIndex(corpus, options) {
  const { nbits, rebuild = false, anyCode = false, withIds = true, texts = false } = options;
  const kind = `${nbits} bits${withIds ? "" : ", no ids"}${texts ? ", texts" : ""}`;
  const content = createHash("sha256").update(`${corpus.key} ${kind}`).digest("hex").slice(0, 8);
  const inside = join(BENCH_CACHE, "index");
  const folder = join(inside, `${corpus.spec.data}-${corpus.passages}-${nbits}bit-${content}`);
  const path = `${folder}.json`;
  const code = codeFingerprint(DECIDING);
  const known = rebuild ? undefined : readJson(path);
  if (known !== undefined && existsSync(folder)) {
    if (known.code === code) return { folder, record: known };
    if (anyCode) {
      say(`${folder} was built by other code`);
      return { folder, record: known };
    }
  }
  requireSpace(inside, corpus, nbits);
  rmSync(path, { force: true });
  rmSync(folder, { recursive: true, force: true });
  say(`building ${folder}: ${corpus.passages} passages, ${corpus.tokens} tokens, ${kind}`);
  const task = { spec: corpus.spec, folder, nbits, withIds, texts };
  const { result, phases } = await inFreshProcess("build-index.mjs", task);
  const phase = (name) => phases.find((one) => one.name === name)?.memory;
  const memory = phase("before") === undefined ? null : { before: phase("before"), during: phase("during") };
  const key = createHash("sha256").update(`${content} ${code}`).digest("hex");
  const record = { key, code, nbits, ...result, bytes: bytesByPart(folder), memory };
  writeFileSync(`${path}.part`, JSON.stringify(record, undefined, 2));
  renameSync(`${path}.part`, path);
  return { folder, record };
}

/** While it is built, an index takes its own bytes and those of the spilled s8 vectors. */
function requireSpace(folder, { tokens, dim }, nbits) {
  mkdirSync(folder, { recursive: true });
  const needed = tokens * ((dim * nbits) / 8 + 12 + dim + 16) + 1e8;
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  if (free < needed) {
    throw new BootstrapError(
      `the index of ${tokens} tokens needs ${Math.ceil(needed / 1e9)} GB below ${folder}, ${Math.floor(free / 1e9)} GB are free`,
    );
  }
}
