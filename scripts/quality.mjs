#!/usr/bin/env node
/**
 * What compression and pruning cost on judged collections, against exhaustive float32 MaxSim over the uncompressed
 * vectors of the same passages.
 *
 *   npm run build && node scripts/quality.mjs [--data DIR] [--collections scifact,cranfield,nq-mini] [--nbits 4,2]
 *     [--rebuild]
 *
 * Indexes and vectors are kept below .cache/quality and used again; --rebuild builds the indexes anew, for the time.
 * The exit status is 1 when a target is missed.
 */
import { parseArgs } from "node:util";
import { Index } from "../dist/engine/index.js";
import { evaluate } from "../dist/evaluation/evaluate.js";
import { COLLECTIONS, DEFAULT_DATA, missingCollection, readCollection } from "./lib/collections.mjs";
import { floatCollection } from "./lib/float-vectors.mjs";
import { folderBytes, indexedPassages, measuredIndex } from "./lib/measured-index.mjs";
import { machine, overlap, table } from "./lib/report.mjs";

const K = 10;

/** By nbits: nDCG@10 that may be lost against float32, and bytes a token with everything but text. */
const TARGETS = new Map([
  [4, { lost: 0.005, bytes: 80 }],
  [2, { lost: 0.015, bytes: 48 }],
]);
/** Of the pruned plan against the exhaustive one over the same stored vectors. */
const PRUNED_RECALL = 0.97;

const { values: options } = parseArgs({
  options: {
    data: { type: "string", default: DEFAULT_DATA },
    collections: { type: "string", default: COLLECTIONS.join(",") },
    nbits: { type: "string", default: "4,2" },
    rebuild: { type: "boolean", default: false },
  },
});
const bits = options.nbits.split(",").map(Number);
const unknown = bits.find((nbits) => ![1, 2, 4].includes(nbits));
if (unknown !== undefined) {
  console.error(`--nbits takes 4, 2 and 1, found ${unknown}`);
  process.exit(2);
}

function ndcg(rankings, { queries, qrels }) {
  const run = new Map(queries.map(({ id }, q) => [id, rankings[q]]));
  return evaluate(run, qrels, [`nDCG@${K}`]).means.get(`nDCG@${K}`);
}

async function search(index, queries, tuning) {
  const rankings = [];
  for (const { text } of queries) {
    const { hits, explanation } = await index.search(text, {
      k: K,
      explain: "stages",
      syntax: "plain",
      snippets: "none",
      ...tuning,
    });
    const plan = tuning.exhaustiveTokens === 0 ? "pruned" : "exhaustive";
    if (explanation.plan !== plan) throw new Error(`the plan was ${explanation.plan}: ${explanation.reason}`);
    rankings.push(hits.map(({ id, score }) => ({ id, score })));
  }
  return rankings;
}

const idsOf = (rankings) => rankings.map((ranking) => ranking.map(({ id }) => id));

async function measure(collection, nbits) {
  const { folder, seconds, processorSeconds } = await measuredIndex(collection, nbits, {
    rebuild: options.rebuild,
  });
  const float = await floatCollection(collection, indexedPassages(folder));
  float.close();
  const exact = float.rankings.map((ranking) => ranking.slice(0, K));
  const index = await Index.open(folder);
  try {
    const stored = await search(index, collection.queries, { effort: "exact" });
    const pruned = await search(index, collection.queries, { exhaustiveTokens: 0 });
    const { tokens, documents, passages, bytes } = index.info();
    return {
      name: collection.name,
      nbits,
      documents,
      passages,
      tokens,
      queries: collection.queries.length,
      seconds,
      processorSeconds,
      float: ndcg(exact, collection),
      stored: ndcg(stored, collection),
      pruned: ndcg(pruned, collection),
      storedRecall: overlap(idsOf(exact), idsOf(stored), K),
      prunedRecall: overlap(idsOf(stored), idsOf(pruned), K),
      fileBytes: (bytes.codec + bytes.segments) / tokens,
      allBytes: (folderBytes(folder) - indexedPassages(folder).textBytes) / tokens,
    };
  } finally {
    await index.close();
  }
}

/** What a row misses, one sentence each. */
function misses(row) {
  const found = [];
  const at = `${row.name}, ${row.nbits} bits`;
  const target = TARGETS.get(row.nbits);
  if (target !== undefined) {
    for (const plan of ["stored", "pruned"]) {
      const lost = row.float - row[plan];
      if (lost > target.lost) {
        found.push(
          `${at}: nDCG@${K} of the ${plan} plan is ${lost.toFixed(4)} below float32, allowed is ${target.lost}`,
        );
      }
    }
    if (row.allBytes > target.bytes) {
      found.push(
        `${at}: ${row.allBytes.toFixed(1)} bytes a token are ${(row.allBytes - target.bytes).toFixed(1)} more than ${target.bytes}`,
      );
    }
  }
  if (row.prunedRecall < PRUNED_RECALL) {
    const missing = (PRUNED_RECALL - row.prunedRecall).toFixed(4);
    found.push(`${at}: recall@${K} of the pruned plan is ${missing} below ${PRUNED_RECALL}`);
  }
  return found;
}

console.log(machine());
const rows = [];
for (const name of options.collections.split(",")) {
  const missing = missingCollection(options.data, name);
  if (missing !== undefined) {
    console.log(`${name} skipped: ${missing}`);
    continue;
  }
  const collection = await readCollection(options.data, name);
  for (const nbits of bits) rows.push(await measure(collection, nbits));
}
if (rows.length > 0) {
  console.log(
    table(
      [
        "collection",
        "queries",
        "passages",
        "tokens",
        "bits",
        "nDCG@10 float32",
        "stored, exhaustive",
        "pruned",
        "recall@10 stored / float32",
        "recall@10 pruned / stored",
        "bytes a token: files",
        "all but text",
        "build s",
        "build processor s",
      ],
      rows.map((row) => [
        row.name,
        row.queries,
        row.passages,
        row.tokens,
        row.nbits,
        row.float.toFixed(4),
        row.stored.toFixed(4),
        row.pruned.toFixed(4),
        row.storedRecall.toFixed(4),
        row.prunedRecall.toFixed(4),
        row.fileBytes.toFixed(1),
        row.allBytes.toFixed(1),
        row.seconds.toFixed(0),
        row.processorSeconds.toFixed(0),
      ]),
    ),
  );
}
const missed = rows.flatMap(misses);
for (const sentence of missed) console.log(`missed: ${sentence}`);
process.exitCode = missed.length > 0 ? 1 : 0;
