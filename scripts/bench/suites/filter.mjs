// What a filter costs a search: beside searches without one, warm and cold, and how much of the exact answer it keeps.

import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Index } from "../../../dist/engine/index.js";
import { BENCH_CACHE } from "../data/arxiv.mjs";
import { benchIndex } from "../lib/bench-index.mjs";
import { dataOptions, openOptions, roundOptions, threadsOption } from "../lib/common-options.mjs";
import { openCorpus } from "../lib/corpus.mjs";
import { bucketOf, describeDocuments } from "../lib/document-metadata.mjs";
import { count, fixed, medianOf, percent, withSpread } from "../lib/report.mjs";
import { takeTurns } from "../lib/rounds.mjs";
import { searchContestant, timedSearch } from "../lib/searching.mjs";
import { evenly, overlap, quantile, spread } from "../lib/statistics.mjs";
import { chosenQueries } from "../lib/truth.mjs";

/** Filters by the share of documents that they mean, in hundredths. */
const SHARES = [1, 10, 50, 100];
/** Searches of an index that was just opened, before anything is timed. */
const WARM_UP = 30;
/** Queries whose exact answers are computed. */
const TRUTH_QUERIES = 50;

export const options = {
  ...dataOptions,
  ...roundOptions,
  ...threadsOption,
  k: { type: "integer", default: 10, describe: "hits" },
  cold: { type: "integer", default: 9, describe: "cold measurements of each kind" },
};

export async function run({ values, report, say }) {
  const corpus = await openCorpus(values);
  const { folder } = await benchIndex(corpus, { nbits: values.nbits, anyCode: values["any-code"] });
  const copies = mkdtempSync(join(BENCH_CACHE, "filter-"));
  const copy = join(copies, "index");
  try {
    say("copying the index and giving its documents metadata");
    cpSync(folder, copy, { recursive: true });
    await describeDocuments(copy, corpus.passages);
    const queries = chosenQueries(corpus, values.queries);
    await warm(copy, corpus, queries, values, report, say);
    await cold(copy, queries, values, report, say);
  } finally {
    rmSync(copies, { recursive: true, force: true });
  }
}

const filterOf = (share) => `bucket < ${share}`;

async function warm(folder, corpus, queries, values, report, say) {
  const { k, rounds } = values;
  const index = await Index.open(folder, openOptions(values));
  try {
    const rows = [{ name: "no filter", options: { k } }];
    for (const share of SHARES) {
      const filter = filterOf(share);
      const matching = await index.count(filter);
      rows.push({
        name: filter,
        options: { k, filter },
        share: matching / corpus.passages,
        filter,
        below: share,
      });
    }
    for (const row of rows) Object.assign(row, await recall(index, queries, row, values, corpus));
    say(`timing ${rows.length} settings, ${rounds} rounds`);
    const contestants = rows.map(({ name, options: o }) => searchContestant(name, index, queries, o));
    const times = await takeTurns(contestants, { queries: queries.length, rounds });
    report.table(
      `${corpus.name}, ${count(corpus.passages)} documents, ${count(corpus.tokens)} tokens, ${values.nbits} bits, k ${k}: the same filter again and again, in turns with searches without one; encoder and documents left out`,
      [
        { key: "name", title: "filter", left: true },
        { key: "share", title: "documents", format: percent },
        { key: "plan", title: "plan", left: true },
        { key: "recall", title: "recall@10 of the exact answer", format: fixed(4) },
        { key: "p50", title: "p50 ms (p10-p90 of rounds)", format: withSpread(2) },
        { key: "p95", title: "p95 ms", format: medianOf(2) },
        { key: "processor", title: "processor ms, mean", format: medianOf(2) },
        { key: "ratio", title: "p50 to that without filter", format: fixed(2) },
      ],
      rows.map((row, i) => ({ ...row, ...times[i], ratio: times[i].p50.median / times[0].p50.median })),
    );
  } finally {
    await index.close();
  }
}

/** How much of the exact answer is found; every hit must be one that the filter means, and none may be missing. */
async function recall(index, queries, { options: o, filter, share = 1, below = 100 }, { k }, corpus) {
  const some = evenly(queries.length, Math.min(TRUTH_QUERIES, queries.length)).map((q) => queries[q]);
  const found = [];
  const exact = [];
  let plan;
  for (const vectors of some) {
    const search = await timedSearch(index, vectors, { ...o, k: Math.max(k, 10) });
    plan = search.plan;
    const expected = Math.min(Math.max(k, 10), Math.round(share * corpus.passages));
    if (search.ids.length !== expected) {
      throw new Error(`${filter}: ${search.ids.length} hits, expected ${expected}`);
    }
    const wrong = search.ids.find((id) => bucketOf(id) >= below);
    if (wrong !== undefined) throw new Error(`${filter}: document ${wrong} does not match`);
    found.push(search.ids);
    exact.push((await timedSearch(index, vectors, { ...o, k: Math.max(k, 10), effort: "exact" })).ids);
  }
  return { recall: overlap(exact, found, 10), plan };
}

/** The first filter over a field, and further ones, each of which comes for the first time. */
async function cold(folder, queries, values, report, say) {
  say("timing cold filters");
  const kinds = [
    { name: "first filter over a field", filter: "bucket < 10", fresh: true },
    { name: "first filter over two fields", filter: "year >= 2010 and category = 'cs.CL'", fresh: true },
    { name: "first filter over dates", filter: "published >= 2010-01-01", fresh: true },
    { name: "first filter over titles", filter: "title prefix 'Title of 1'", fresh: true },
    { name: "another filter over a known field", filter: (i) => `bucket >= ${i} and bucket < ${i + 10}` },
    {
      name: "another filter over known dates",
      filter: (i) => `published >= 2010-01-${String(i + 2).padStart(2, "0")}`,
    },
  ];
  const rows = [];
  for (const { name, filter, fresh = false } of kinds) {
    const times = { filterMs: [], whole: [], processor: [], without: [], sql: [], sqlProcessor: [] };
    let index = await Index.open(folder, openOptions(values));
    const known = fresh ? [] : ["bucket < 10", "published > 2000-01-01"];
    try {
      for (let i = 0; i < values.cold; i++) {
        if (fresh && i > 0) {
          await index.close();
          index = await Index.open(folder, openOptions(values));
        }
        if (fresh || i === 0) {
          for (const vectors of queries.slice(0, WARM_UP)) await timedSearch(index, vectors, { k: values.k });
          for (const before of known) await timedSearch(index, queries[0], { filter: before });
        }
        const text = typeof filter === "string" ? filter : filter(i);
        const vectors = queries[i % queries.length];
        times.without.push((await timedSearch(index, vectors, { k: values.k })).milliseconds);
        const search = await timedSearch(index, vectors, { k: values.k, filter: text });
        times.whole.push(search.milliseconds);
        times.filterMs.push(search.stages.find(({ stage }) => stage === "filter").milliseconds);
        times.processor.push(search.processor);
        const cpu = process.cpuUsage();
        const started = performance.now();
        await index.count(text);
        times.sql.push(performance.now() - started);
        const { user, system } = process.cpuUsage(cpu);
        times.sqlProcessor.push((user + system) / 1000);
      }
    } finally {
      await index.close();
    }
    rows.push({
      name,
      ...Object.fromEntries(Object.entries(times).map(([key, list]) => [key, spread(list)])),
      largest: quantile(times.filterMs, 1),
    });
  }
  report.table(
    `Filters that come for the first time, ${values.cold} of each kind in turns with searches without one: milliseconds`,
    [
      { key: "name", title: "filter", left: true },
      { key: "filterMs", title: "filter ms (p10-p90)", format: withSpread(2) },
      { key: "largest", title: "largest", format: fixed(2) },
      { key: "whole", title: "whole search ms", format: withSpread(2) },
      { key: "without", title: "search without filter ms", format: withSpread(2) },
      { key: "sql", title: "filter in SQL (`count`) ms", format: withSpread(2) },
      { key: "processor", title: "processor ms, search", format: medianOf(2) },
      { key: "sqlProcessor", title: "processor ms, SQL", format: medianOf(2) },
    ],
    rows,
  );
}
