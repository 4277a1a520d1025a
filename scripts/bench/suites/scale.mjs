// How everything grows with the corpus: real token vectors grown to several sizes, searched in turns.

import { Index } from "../../../dist/engine/index.js";
import { benchIndex } from "../lib/bench-index.mjs";
import { dataOptions, openOptions, roundOptions, threadsOption } from "../lib/common-options.mjs";
import { openCorpus } from "../lib/corpus.mjs";
import { corpusShape, shapeTables } from "../lib/corpus-shape.mjs";
import { count, fixed, medianOf, megabytes, withSpread } from "../lib/report.mjs";
import { takeTurns } from "../lib/rounds.mjs";
import { openTimes, searchMemory } from "../lib/search-process.mjs";
import { rankings, searchContestant } from "../lib/searching.mjs";
import { bytesATokenOf } from "../lib/section-table.mjs";
import { evenly, overlap } from "../lib/statistics.mjs";
import { chosenQueries, storedTruth } from "../lib/truth.mjs";

export const options = {
  ...dataOptions,
  data: { ...dataOptions.data, default: "grown" },
  passages: { type: "integers", default: [100_000, 300_000, 1_000_000], describe: "sizes" },
  ...roundOptions,
  ...threadsOption,
  efforts: {
    type: "strings",
    default: ["balanced", "fast"],
    choices: ["balanced", "fast"],
    describe: "settings to compare",
  },
  "recall-queries": { type: "integer", default: 30, describe: "queries that recall is measured with" },
  searches: { type: "integer", default: 400, describe: "searches of the process whose memory is measured" },
  shape: {
    type: "integer",
    default: 100_000,
    min: 0,
    describe: "passages of the two sets whose statistics are compared, real and grown; 0 to leave that out",
  },
};

export async function run({ values, report, say }) {
  const sizes = [];
  try {
    for (const passages of values.passages) sizes.push(await openSize(values, passages));
    say("recall against the exhaustive plan");
    for (const size of sizes) await addRecall(size, values);
    const contestants = sizes.flatMap(({ index, queries }) =>
      values.efforts.map((effort) => searchContestant(effort, index, queries, { k: 10, effort })),
    );
    say(`timing ${contestants.length} settings, ${values.rounds} rounds`);
    const times = await takeTurns(contestants, { queries: sizes[0].queries.length, rounds: values.rounds });
    report.table(title(values, sizes), SEARCH, searchRows(sizes, values.efforts, times));
  } finally {
    for (const { index } of sizes) await index.close();
  }
  say("opening and searching in new processes");
  const rows = [];
  for (const { corpus, folder, record, queries } of sizes) {
    const memory = await searchMemory(folder, queries, {
      searches: values.searches,
      open: openOptions(values),
    });
    rows.push({
      passages: corpus.passages,
      tokens: corpus.tokens,
      centroids: record.centroids,
      segments: record.segments,
      open: await openTimes(folder, values.rounds),
      own: memory.anonymous,
      mapped: memory.file,
      build: record.total,
      buildOwn: record.memory?.during.anonymous,
      bytes: bytesATokenOf(record).whole,
      megabytes: bytesATokenOf(record).megabytes,
    });
  }
  report.table("Opening, memory, building", OPENING, rows);
  if (values.shape > 0 && values.data === "grown") await compareShapes(values, report);
}

async function openSize(values, passages) {
  const corpus = await openCorpus({ data: values.data, passages });
  const { folder, record } = await benchIndex(corpus, { nbits: values.nbits, anyCode: values["any-code"] });
  const index = await Index.open(folder, openOptions(values));
  return { corpus, folder, record, index, queries: chosenQueries(corpus, values.queries) };
}

async function addRecall(size, values) {
  const queries = evenly(size.queries.length, values["recall-queries"]).map((q) => size.queries[q]);
  const stored = await storedTruth(size.index, size.record.key, queries);
  size.recall = new Map();
  for (const effort of values.efforts) {
    const found = await rankings(size.index, queries, { k: 10, effort });
    size.recall.set(effort, overlap(stored, found, 10));
  }
}

function title({ nbits, threads }, sizes) {
  const { queries, corpus } = sizes[0];
  const tokens = queries.reduce((sum, q) => sum + q.length / corpus.dim, 0) / queries.length;
  return `${nbits} bits, ${queries.length} queries of ${tokens.toFixed(1)} tokens on average, k 10, threads ${threads ?? "all"}; milliseconds without encoder and documents`;
}

function searchRows(sizes, efforts, times) {
  return efforts.flatMap((effort, e) =>
    sizes.map(({ corpus, recall }, s) => {
      const measured = times[s * efforts.length + e];
      const before = s === 0 ? undefined : times[(s - 1) * efforts.length + e];
      return {
        effort,
        passages: corpus.passages,
        tokens: corpus.tokens,
        recall: recall.get(effort),
        ...measured,
        corpusGrowth: s === 0 ? undefined : corpus.tokens / sizes[s - 1].corpus.tokens,
        growth: before && measured.p50.median / before.p50.median,
      };
    }),
  );
}

/** The same number of passages, of real vectors and of grown ones only. */
async function compareShapes({ shape: passages, nbits, queries, ...values }, report) {
  const shapes = [];
  for (const [name, firstCopy] of [
    ["real", 0],
    ["grown", 1],
  ]) {
    const corpus = await openCorpus({ data: "grown", passages, firstCopy });
    const { folder } = await benchIndex(corpus, { nbits, anyCode: values["any-code"] });
    shapes.push(await corpusShape(name, corpus, folder, chosenQueries(corpus, Math.min(queries, 30))));
  }
  for (const { title: heading, columns, rows } of shapeTables(shapes)) report.table(heading, columns, rows);
}

const SEARCH = [
  { key: "effort", title: "effort", left: true },
  { key: "passages", title: "passages", format: count },
  { key: "tokens", title: "tokens", format: count },
  { key: "recall", title: "recall@10 of stored", format: fixed(4) },
  { key: "p50", title: "p50 ms (p10-p90 of rounds)", format: withSpread(2) },
  { key: "p95", title: "p95 ms", format: medianOf(2) },
  { key: "p99", title: "p99 ms", format: medianOf(2) },
  { key: "corpusGrowth", title: "tokens grow", format: fixed(2) },
  { key: "growth", title: "p50 grows", format: fixed(2) },
];
const OPENING = [
  { key: "passages", title: "passages", format: count },
  { key: "tokens", title: "tokens", format: count },
  { key: "centroids", title: "centroids", format: count },
  { key: "segments", title: "segments" },
  { key: "open", title: "open ms (p10-p90)", format: withSpread(0) },
  { key: "own", title: "memory beyond mapped files, MB", format: megabytes },
  { key: "mapped", title: "mapped files, MB", format: megabytes },
  { key: "build", title: "build s", format: fixed(0) },
  { key: "buildOwn", title: "build, memory beyond mapped files, MB", format: megabytes },
  { key: "bytes", title: "bytes a token", format: fixed(2) },
  { key: "megabytes", title: "index MB", format: fixed(0) },
];
