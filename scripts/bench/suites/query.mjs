// Latency and recall of searches, of several settings in turns, and of other engines when asked.

import { Index } from "../../../dist/engine/index.js";
import { benchIndex } from "../lib/bench-index.mjs";
import { dataOptions, openOptions, roundOptions } from "../lib/common-options.mjs";
import { openCorpus } from "../lib/corpus.mjs";
import { usageError } from "../lib/options.mjs";
import { openPeerContestants, peerSettings, sideBySide } from "../lib/peer-contestants.mjs";
import { count, fixed, medianOf, withSpread } from "../lib/report.mjs";
import { takeTurns } from "../lib/rounds.mjs";
import { rankings, searchContestant } from "../lib/searching.mjs";
import { overlap } from "../lib/statistics.mjs";
import { chosenQueries, floatTruth, storedTruth, TRUTH_K } from "../lib/truth.mjs";

const EFFORTS = ["exact", "balanced", "fast"];
const SWEEP = [4, 8, 16].flatMap((nprobe) =>
  [2048, 4096].flatMap((approximate) => [2, 2.75, 4].map((margin) => ({ nprobe, approximate, margin }))),
);

export const options = {
  ...dataOptions,
  passages: { type: "integers", describe: "the first N passages of them; several sizes make several rows" },
  ...roundOptions,
  threads: {
    type: "integers",
    describe: "threads of the index; several make several rows (default: all processors)",
  },
  k: { type: "integer", default: 10, describe: "hits of the timed searches" },
  efforts: { type: "strings", default: EFFORTS, choices: EFFORTS, describe: "settings to compare" },
  sweep: { type: "flag", default: false, describe: "also nprobe x approximate x margin" },
  pruned: { type: "flag", default: false, describe: "balanced and fast never score everything" },
  peers: { type: "strings", default: [], describe: "other engines beside it, such as next-plaid,lancedb" },
  "same-codes": {
    type: "flag",
    default: false,
    describe: "next-plaid reads our centroids, codes and residuals: for sizes that it cannot build",
  },
  "peer-parameters": {
    type: "string",
    describe: "JSON: settings by engine; default: what each driver sweeps",
  },
};

export async function run({ values, report, say }) {
  const several = (values.passages?.length ?? 1) * (values.threads?.length ?? 1) > 1;
  if (values.peers.length > 0 && several) {
    throw usageError("--peers takes one size, found several --passages or --threads");
  }
  peerSettings(values["peer-parameters"]);
  for (const passages of values.passages ?? [undefined]) {
    for (const threads of values.threads ?? [undefined]) {
      await oneSize({ ...values, passages, threads }, report, say);
    }
  }
}

async function oneSize(values, report, say) {
  const corpus = await openCorpus(values);
  const queries = chosenQueries(corpus, values.queries);
  const float = await floatTruth(corpus, queries);
  const { folder, record } = await benchIndex(corpus, { nbits: values.nbits, anyCode: values["any-code"] });
  const index = await Index.open(folder, openOptions(values));
  let peers;
  try {
    const stored = await storedTruth(index, record.key, queries);
    const ours = await measureRecall(index, settings(values), { queries, float, stored, values });
    peers = await openPeerContestants({ corpus, queries, float, values, folder, say });
    const contestants = [
      ...ours.map(({ name, options: o }) => searchContestant(name, index, queries, o)),
      ...peers.contestants,
    ];
    say(`timing ${contestants.length} settings, ${values.rounds} rounds`);
    const times = await takeTurns(contestants, { queries: queries.length, rounds: values.rounds });
    const rows = [...ours.map(({ options: _, ...row }) => row), ...peers.rows].map((row, i) => ({
      ...row,
      ...times[i],
    }));
    const size = `${corpus.name}, ${count(corpus.passages)} passages, ${count(corpus.tokens)} tokens, ${record.centroids} centroids`;
    const tokens = queries.reduce((sum, q) => sum + q.length / corpus.dim, 0) / queries.length;
    report.table(
      `${size}, ${values.nbits} bits; ${queries.length} queries of ${tokens.toFixed(1)} tokens on average, k ${values.k}, threads ${values.threads ?? "all"}; milliseconds without encoder and documents`,
      COLUMNS,
      rows,
    );
    const memory = await peers.stop();
    for (const note of peers.notes) report.note(note);
    if (peers.rows.length > 0) {
      equalRecall(rows, report);
      const compared = { corpus, queries, values, folder, record, built: peers.built, memory };
      const { title, columns, rows: sides } = await sideBySide(compared);
      report.table(title, columns, sides);
    }
  } finally {
    await peers?.stop();
    await index.close();
  }
}

function settings({ efforts, sweep, pruned, k }) {
  const always = pruned ? { exhaustiveTokens: 0 } : {};
  const named = efforts.map((effort) => ({
    name: effort === "exact" || !pruned ? effort : `${effort}, pruned`,
    options: { k, effort, ...(effort === "exact" ? {} : always) },
  }));
  named.push({
    name: "balanced, pruned, nprobe 16, margin 4",
    options: { k, nprobe: 16, margin: 4, exhaustiveTokens: 0 },
  });
  const swept = SWEEP.map((tuning) => ({
    name: `nprobe ${tuning.nprobe}, approximate ${tuning.approximate}, margin ${tuning.margin}`,
    options: { k, ...tuning, refine: 1024, exhaustiveTokens: 0 },
  }));
  return sweep ? [...named, ...swept] : named;
}

/** Recall at 10 is that of a search for `k`, recall at 100 that of a search for 100. */
async function measureRecall(index, compared, { queries, float, stored, values }) {
  const rows = [];
  for (const { name, options: o } of compared) {
    const exact = o.effort === "exact";
    const short = exact ? stored : await rankings(index, queries, { ...o, k: Math.max(10, values.k) });
    const long = exact ? stored : await rankings(index, queries, { ...o, k: TRUTH_K });
    rows.push({
      engine: "maxsim",
      name,
      options: o,
      float10: float && overlap(float, short, 10),
      float100: float && overlap(float, long, TRUTH_K),
      stored10: overlap(stored, short, 10),
      stored100: overlap(stored, long, TRUTH_K),
    });
  }
  return rows;
}

/** For each setting of another engine: our fastest one that finds at least as much. */
function equalRecall(rows, report) {
  const ours = rows.filter(({ engine }) => engine === "maxsim");
  const compared = rows
    .filter(({ engine, float10 }) => engine !== "maxsim" && float10 !== undefined)
    .map((peer) => {
      const enough = ours.filter(({ float10 }) => float10 >= peer.float10);
      const best = enough.sort((a, b) => a.p50.median - b.p50.median)[0];
      return {
        engine: peer.engine,
        setting: peer.name,
        recall: peer.float10,
        theirs: peer.p50.median,
        ours: best?.p50.median,
        with: best?.name ?? "no setting finds as much",
        ourRecall: best?.float10,
        times: best && peer.p50.median / best.p50.median,
        processorTimes: best && peer.processor && peer.processor.median / best.processor.median,
      };
    });
  report.table(
    "At equal recall: the fastest setting of maxsim that finds at least as much as the other engine's",
    [
      { key: "engine", title: "engine", left: true },
      { key: "setting", title: "setting", left: true },
      { key: "recall", title: "recall@10", format: fixed(4) },
      { key: "theirs", title: "p50 ms", format: fixed(2) },
      { key: "with", title: "maxsim setting", left: true },
      { key: "ourRecall", title: "recall@10", format: fixed(4) },
      { key: "ours", title: "p50 ms", format: fixed(2) },
      { key: "times", title: "times as fast", format: fixed(2) },
      { key: "processorTimes", title: "by processor time", format: fixed(2) },
    ],
    compared,
  );
}

const COLUMNS = [
  { key: "engine", title: "engine", left: true },
  { key: "name", title: "setting", left: true },
  { key: "float10", title: "recall@10 of float32", format: fixed(4) },
  { key: "float100", title: "recall@100 of float32", format: fixed(4) },
  { key: "stored10", title: "recall@10 of stored", format: fixed(4) },
  { key: "stored100", title: "recall@100 of stored", format: fixed(4) },
  { key: "p50", title: "p50 ms (p10-p90 of rounds)", format: withSpread(2) },
  { key: "p95", title: "p95 ms", format: medianOf(2) },
  { key: "p99", title: "p99 ms", format: medianOf(2) },
  { key: "processor", title: "processor ms, mean", format: medianOf(2) },
  { key: "calls", title: "searches a round" },
];
