// A corpus in the folder format that the drivers of other engines read (peers/README.md).

import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { BENCH_CACHE } from "../data/arxiv.mjs";
import { bytesOf } from "../data/files.mjs";

/**
 * Writes set.json, lengths.u32, queries.f32, query-lengths.u32 and, with `exact`, exact.json. Files of vectors that
 * belong to the corpus as a whole are referred to, everything else is written.
 *
 * @param {import("./corpus.mjs").Corpus} corpus
 * @param {string} folder
 * @param {{queries?: readonly Float32Array[], exact?: readonly (readonly number[])[], vectors?: boolean}} [options] `queries`: default
 *   those of the corpus; `exact`: the best passages of each by exhaustive float32 MaxSim; `vectors` (default true): false
 *   leaves the vectors of the passages out
 */
export function exportSet(corpus, folder, { queries = corpus.queries, exact, vectors = true } = {}) {
  mkdirSync(folder, { recursive: true });
  const { name, dim, passages, tokens } = corpus;
  const shards = vectors ? vectorFiles(corpus, folder) : [];
  writeFileSync(join(folder, "lengths.u32"), bytesOf(corpus.lengths));
  writeFileSync(join(folder, "query-lengths.u32"), bytesOf(Uint32Array.from(queries, (q) => q.length / dim)));
  writeFileSync(join(folder, "queries.f32"), Buffer.concat(queries.map(bytesOf)));
  if (exact !== undefined) writeFileSync(join(folder, "exact.json"), JSON.stringify(exact));
  const set = { name, dim, passages, tokens, queries: queries.length, shards };
  // Last: a folder that has it is whole.
  writeFileSync(join(folder, "set.json.part"), JSON.stringify(set));
  renameSync(join(folder, "set.json.part"), join(folder, "set.json"));
}

/** The folder of a set below .cache/bench/sets, written when it is not there. @returns {string} */
export function cachedSet(corpus, { queries, exact, vectors = true }) {
  const hash = createHash("sha256").update(corpus.key);
  for (const vectors of queries) hash.update(vectors);
  const kind = vectors ? "" : "-queries";
  const name = `${corpus.spec.data}-${corpus.passages}${kind}-${hash.digest("hex").slice(0, 8)}`;
  const folder = join(BENCH_CACHE, "sets", name);
  if (!existsSync(join(folder, "set.json"))) exportSet(corpus, folder, { queries, exact, vectors });
  return folder;
}

/** Absolute paths, or names inside of the folder for what is written there. */
function vectorFiles(corpus, folder) {
  if (corpus.files === undefined) {
    writeRows(join(folder, "vectors.f32"), blockVectors(corpus));
    return ["vectors.f32"];
  }
  let first = 0;
  return corpus.files.map(({ path, tokens, whole }, f) => {
    const from = first;
    first += tokens;
    if (whole) return path;
    const name = `part-${String(f).padStart(3, "0")}.f32`;
    writeRows(join(folder, name), [corpus.rows(from, from + tokens)]);
    return name;
  });
}

function* blockVectors(corpus) {
  for (const { vectors } of corpus.blocks()) yield vectors;
}

function writeRows(path, parts) {
  const file = openSync(path, "w");
  try {
    for (const part of parts) writeFully(file, bytesOf(part));
  } finally {
    closeSync(file);
  }
}

function writeFully(file, bytes) {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done);
}
