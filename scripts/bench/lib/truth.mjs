// Rankings that recall is measured against, kept as JSON below .cache/bench/truth.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bestPositions, floatMaxSim } from "../../lib/float-maxsim.mjs";
import { say } from "../../lib/project.mjs";
import { BENCH_CACHE } from "../data/arxiv.mjs";
import { evenly } from "./statistics.mjs";

/** Passages kept of each ranking. */
export const TRUTH_K = 100;

/** Queries of a corpus that are used: `count` of them, evenly spread. */
export function chosenQueries(corpus, count) {
  return evenly(corpus.queries.length, count).map((q) => corpus.queries[q]);
}

/**
 * Best passages of each query by exhaustive float32 MaxSim over the uncompressed vectors, best first; undefined for a
 * corpus whose vectors cannot be had in any order.
 *
 * @param {import("./corpus.mjs").Corpus} corpus
 * @param {readonly Float32Array[]} queries
 * @returns {Promise<readonly (readonly number[])[] | undefined>}
 */
export async function floatTruth(corpus, queries) {
  if (corpus.rows === undefined) return undefined;
  return kept(`float32 ${corpus.key}`, queries, async () => {
    say(`scoring ${corpus.passages} passages for ${queries.length} queries in float32, once`);
    const scores = await floatMaxSim(corpus, queries);
    return scores.map((ofQuery) => bestPositions(ofQuery, TRUTH_K));
  });
}

/**
 * Best passages of each query over what an index stores: its exhaustive plan.
 *
 * @param {import("../../../dist/engine/index.js").Index} index
 * @param {string} key identifies the content of the index
 * @param {readonly Float32Array[]} queries
 * @returns {Promise<readonly (readonly number[])[]>}
 */
export function storedTruth(index, key, queries) {
  return kept(`stored ${key}`, queries, async () => {
    say(`scoring all of ${index.folder} for ${queries.length} queries, once`);
    const rankings = [];
    for (const vectors of queries) {
      const { hits } = await index.searchEmbeddings(vectors, { k: TRUTH_K, effort: "exact" });
      rankings.push(hits.map(({ id }) => Number(id)));
    }
    return rankings;
  });
}

async function kept(what, queries, compute) {
  const hash = createHash("sha256").update(what);
  for (const vectors of queries) hash.update(vectors);
  const folder = join(BENCH_CACHE, "truth");
  const path = join(folder, `${hash.digest("hex").slice(0, 32)}.json`);
  if (existsSync(path)) return JSON.parse(readFileSync(path, "utf8"));
  const rankings = await compute();
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${path}.part`, JSON.stringify(rankings));
  renameSync(`${path}.part`, path);
  return rankings;
}
