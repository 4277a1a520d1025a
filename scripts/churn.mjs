#!/usr/bin/env node
/**
 * What years of small changes cost in quality: an index that begins with a fifth of a judged collection and grows by many
 * small batches, while documents are deleted and added again, against one that is built of everything at once.
 *
 *   npm run build && node scripts/churn.mjs [--data DIR] [--collections scifact] [--batches 50] [--nbits 4,2]
 *
 * Vectors are encoded once, in float32, and kept below .cache/quality. The exit status is 1 when nDCG@10 or recall@10 of
 * the grown index is more than 0.01 below that of the fresh one.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Random } from "../dist/common/random.js";
import { Index } from "../dist/engine/index.js";
import { evaluate } from "../dist/evaluation/evaluate.js";
import { COLLECTIONS, DEFAULT_DATA, missingCollection, readCollection } from "./lib/collections.mjs";
import { floatCollection } from "./lib/float-vectors.mjs";
import { machine, overlap, table } from "./lib/report.mjs";
import { splitCollection } from "./lib/split-collection.mjs";

const K = 10;
/** Passages asked for, so that the best ten documents are among them. */
const PASSAGES = 100;
const FIRST_SHARE = 0.2;
const CHURNED_SHARE = 0.2;
const MAY_LOSE = 0.01;
const SEED = 7;

const { values: options } = parseArgs({
  options: {
    data: { type: "string", default: DEFAULT_DATA },
    collections: { type: "string", default: COLLECTIONS[0] },
    batches: { type: "string", default: "50" },
    nbits: { type: "string", default: "4,2" },
  },
});
const batches = Number(options.batches);
if (!Number.isSafeInteger(batches) || batches < 1) {
  console.error(`--batches takes a number of at least 1, found ${options.batches}`);
  process.exit(2);
}

/** Passages as documents of an index of vectors; the passages of one document come together. */
function documentsOf(float) {
  const starts = [0];
  for (const length of float.lengths) starts.push(starts.at(-1) + length);
  const byDocument = float.ids.map(() => []);
  float.documents.forEach((document, p) => {
    byDocument[document].push(p);
  });
  return (documents) =>
    documents.flatMap((document) =>
      byDocument[document].map((p) => ({
        id: `${document}:${p}`,
        vectors: float.rows(starts[p], starts[p + 1]),
        tokenIds: float.tokenIds.subarray(starts[p], starts[p + 1]),
      })),
    );
}

async function withIndex(dim, nbits, work) {
  const folder = mkdtempSync(join(tmpdir(), "maxsim-churn-"));
  const index = await Index.create(join(folder, "index"), { model: null, dim, nbits });
  try {
    return await work(index);
  } finally {
    await index.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The best documents of each query: each has the score of its best passage. */
async function rankings(index, float, tuning) {
  const found = [];
  for (const { vectors } of float.queries) {
    const { hits } = await index.searchEmbeddings(vectors, { k: PASSAGES, ...tuning });
    const best = new Map();
    for (const { id, score } of hits) {
      const document = float.ids[Number(id.split(":")[0])];
      if (!best.has(document)) best.set(document, score);
    }
    found.push([...best].slice(0, K).map(([id, score]) => ({ id, score })));
  }
  return found;
}

const idsOf = (ranking) => ranking.map(({ id }) => id);

function measure(found, float, { queries, qrels }) {
  const run = new Map(queries.map(({ id }, q) => [id, found[q]]));
  const { means } = evaluate(run, qrels, [`nDCG@${K}`, `Recall@${K}`]);
  return {
    ndcg: means.get(`nDCG@${K}`),
    recall: means.get(`Recall@${K}`),
    float: overlap(float.rankings.map(idsOf), found.map(idsOf), K),
  };
}

/** Adds the rest in batches; in each some documents that are there are deleted, and added again in the next. */
async function churn(index, passagesOf, documents) {
  const random = new Random(SEED);
  const order = Array.from(random.sample(documents, documents));
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  const first = Math.floor(documents * FIRST_SHARE);
  await index.addEmbeddings(passagesOf(order.slice(0, first)));
  const each = Math.ceil((documents - first) / batches);
  const churned = Math.ceil((documents * CHURNED_SHARE) / batches);
  let away = [];
  for (let at = first; at < documents; at += each) {
    const back = away;
    const there = order.slice(0, at);
    away = Array.from(random.sample(churned, there.length), (n) => there[n]).filter(
      (document) => !back.includes(document),
    );
    await index.delete(passagesOf(away).map(({ id }) => id));
    await index.addEmbeddings(passagesOf([...order.slice(at, at + each), ...back]));
  }
  await index.addEmbeddings(passagesOf(away));
}

const rows = [];
let failed = false;
for (const name of options.collections.split(",")) {
  const missing = missingCollection(options.data, name);
  if (missing !== undefined) {
    console.log(`${name}: skipped: ${missing}`);
    continue;
  }
  const collection = await readCollection(options.data, name);
  const float = await floatCollection(collection, await splitCollection(collection));
  const passagesOf = documentsOf(float);
  const everything = Array.from(float.ids.keys());
  for (const nbits of options.nbits.split(",").map(Number)) {
    const measured = [];
    const kinds = [
      ["built at once", (index) => index.addEmbeddings(passagesOf(everything))],
      ["grown", (index) => churn(index, passagesOf, everything.length)],
      [
        "grown, reclustered",
        async (index) => {
          await churn(index, passagesOf, everything.length);
          await index.compact({ recluster: true });
        },
      ],
    ];
    for (const [kind, fill] of kinds) {
      await withIndex(float.dim, nbits, async (index) => {
        await fill(index);
        const { centroids, segments, documents } = index.info();
        if (documents !== float.lengths.length)
          throw new Error(`${documents} of ${float.lengths.length} passages`);
        const quality = measure(await rankings(index, float, { exhaustiveTokens: 0 }), float, collection);
        measured.push(quality);
        rows.push([
          name,
          nbits,
          kind,
          centroids,
          segments,
          ...Object.values(quality).map((n) => n.toFixed(4)),
        ]);
      });
    }
    const [fresh, grown] = measured;
    if (fresh.ndcg - grown.ndcg > MAY_LOSE || fresh.recall - grown.recall > MAY_LOSE) failed = true;
  }
}
console.log(machine());
console.log(
  table(
    ["collection", "bits", "index", "centroids", "segments", "nDCG@10", "Recall@10", "top 10 of float32"],
    rows,
  ),
);
console.log(failed ? "MISSED: a grown index is more than 0.01 below a fresh one" : "within 0.01");
process.exitCode = failed ? 1 : 0;
