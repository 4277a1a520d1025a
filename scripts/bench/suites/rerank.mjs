// Late reranking: what it costs beside encoding the same passages, and from the stored vectors of an index.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Index } from "../../../dist/engine/index.js";
import { StoredReranker } from "../../../dist/engine/stored-reranker.js";
import { loadModelSettings } from "../../../dist/models/load-settings.js";
import { resolveModel } from "../../../dist/models/registry.js";
import { TextTokenizer } from "../../../dist/models/tokenizer.js";
import { lateReranker } from "../../../dist/rerank/late.js";
import { EncodePool } from "../../../dist/workers/encode-pool.js";
import { bareLoop } from "../lib/bare-session.mjs";
import { benchIndex } from "../lib/bench-index.mjs";
import { dataOptions, openOptions } from "../lib/common-options.mjs";
import { openCorpus } from "../lib/corpus.mjs";
import { passageTexts } from "../lib/passage-texts.mjs";
import { count, fixed, medianOf, withSpread } from "../lib/report.mjs";
import { takeTurns } from "../lib/rounds.mjs";
import { timedSearch } from "../lib/searching.mjs";
import { median, spread } from "../lib/statistics.mjs";
import { chosenQueries } from "../lib/truth.mjs";

export const options = {
  ...dataOptions,
  model: { type: "string", default: "default", describe: "name or folder of the model that encodes" },
  corpus: {
    type: "string",
    describe: "corpus.jsonl whose texts are encoded (default: the model's own texts)",
  },
  candidates: { type: "integer", default: 100, describe: "passages to rerank" },
  threads: { type: "integer", default: 2, describe: "threads that encode, and of the index" },
  queries: { type: "integer", default: 100, describe: "queries of the stored vectors" },
  rounds: { type: "integer", default: 5, describe: "rounds; sides take turns in each" },
};

export async function run({ values, report, say }) {
  await encoded(values, report, say);
  await stored(values, report, say);
}

/** Texts that are encoded for one query, beside the runtime without anything around it and the encoder alone. */
async function encoded({ model, corpus, candidates, threads, rounds }, report, say) {
  const settings = await loadModelSettings(await resolveModel(model));
  const tokenizer = await TextTokenizer.load(settings);
  const texts = passageTexts(settings, tokenizer, corpus, candidates);
  const positions = texts.map((text) => tokenizer.encodeDocument(text));
  const tokens = positions.reduce((sum, { ids }) => sum + ids.length, 0);
  const queries = queryTexts(settings);
  const bare = await bareLoop(settings.graphFile, threads, 1, positions);
  const pool = await EncodePool.create(settings, { threads });
  const reranker = await lateReranker({ model, threads });
  const asked = (n, round) =>
    Array.from({ length: n }, (_, i) => ({
      query: queries[(n * round + i) % queries.length],
      documents: texts,
    }));
  const sides = [
    { name: "the runtime alone", call: () => bare.run() },
    { name: "the encoder", call: () => pool.encodeDocuments(texts) },
    { name: "reranking, 1 query", call: (round) => reranker.rerankBatch(asked(1, round)) },
    {
      name: "reranking, 10 queries, the same passages",
      call: (round) => reranker.rerankBatch(asked(10, round)),
    },
  ];
  say(`encoding ${texts.length} passages, ${rounds} rounds of ${sides.length} sides`);
  const times = sides.map(() => []);
  try {
    // Round 0 starts threads and loads models.
    for (let round = 0; round <= rounds; round++) {
      for (const [s, { call }] of sides.entries()) {
        const used = await timed(() => call(round));
        if (round > 0) times[s].push(used);
      }
    }
  } finally {
    await Promise.all([bare.close(), pool.close(), reranker.close()]);
  }
  // Ratios of neighbours in one round: what else the machine does weighs on both.
  const ratio = (s, key) => median(times[s].map((used, i) => used[key] / times[0][i][key]));
  report.table(
    `${settings.name}, ${texts.length} passages of ${Math.round(tokens / texts.length)} tokens, ${threads} threads`,
    [
      { key: "name", title: "side", left: true },
      { key: "clock", title: "ms (p10-p90 of rounds)", format: withSpread(0) },
      { key: "processor", title: "processor ms", format: medianOf(0) },
      { key: "ratio", title: "of the runtime alone", format: fixed(3) },
      { key: "processorRatio", title: "by processor time", format: fixed(3) },
    ],
    sides.map(({ name }, s) => ({
      name,
      clock: spread(times[s].map(({ clock }) => clock)),
      processor: spread(times[s].map(({ processor }) => processor)),
      ratio: ratio(s, "clock"),
      processorRatio: ratio(s, "processor"),
    })),
  );
}

function queryTexts(settings) {
  const { items } = JSON.parse(readFileSync(join(settings.folder, "golden.json"), "utf8"));
  return items.filter(({ kind }) => kind === "query").map(({ text }) => text);
}

async function timed(work) {
  const cpu = process.cpuUsage();
  const started = performance.now();
  await work();
  const clock = performance.now() - started;
  const { user, system } = process.cpuUsage(cpu);
  return { clock, processor: (user + system) / 1000 };
}

/** The best candidates of searches, and as many that no search has touched, from an index; the query is encoded already. */
async function stored(values, report, say) {
  const { candidates, nbits, rounds } = values;
  const corpus = await openCorpus(values);
  const { folder } = await benchIndex(corpus, { nbits, anyCode: values["any-code"] });
  const queries = chosenQueries(corpus, values.queries);
  const index = await Index.open(folder, openOptions(values));
  let vectors = queries[0];
  const encoder = {
    encodeQuery: async () => ({ vectors, count: vectors.length / corpus.dim, dim: corpus.dim }),
  };
  const model = { encoder: async () => encoder };
  const reranker = new StoredReranker({ modelName: "", model, read: (work) => index.read(work) });
  const found = [];
  for (const query of queries) found.push((await timedSearch(index, query, { k: candidates })).ids);
  const step = Math.floor(corpus.passages / candidates);
  const spreadOut = (q) =>
    Array.from({ length: candidates }, (_, i) => (i * step + q * 7919) % corpus.passages);
  const rerank = (name, idsOf) => ({
    name,
    async call(q) {
      vectors = queries[q];
      const documents = idsOf(q).map((id) => ({ id: String(id) }));
      const { clock, processor } = await timed(() => reranker.rerank("a query", documents));
      return { milliseconds: clock, processor };
    },
  });
  const contestants = [
    {
      name: `the search for them, k ${candidates}`,
      call: (q) => timedSearch(index, queries[q], { k: candidates }),
    },
    rerank("reranking, those that the search found", (q) => found[q]),
    rerank("reranking, spread over the index", spreadOut),
  ];
  try {
    say(`reranking ${candidates} stored passages, ${rounds} rounds`);
    const times = await takeTurns(contestants, { queries: queries.length, rounds });
    report.table(
      `${corpus.name}, ${count(corpus.passages)} passages, ${count(corpus.tokens)} tokens, ${nbits} bits: ${candidates} passages by id, the encoder left out`,
      [
        { key: "name", title: "call", left: true },
        { key: "p50", title: "p50 ms (p10-p90 of rounds)", format: withSpread(2) },
        { key: "p95", title: "p95 ms", format: medianOf(2) },
        { key: "processor", title: "processor ms, mean", format: medianOf(2) },
      ],
      contestants.map(({ name }, i) => ({ name, ...times[i] })),
    );
  } finally {
    await index.close();
  }
}
