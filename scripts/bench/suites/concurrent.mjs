// Throughput of one index with several callers at once.

import { Index } from "../../../dist/engine/index.js";
import { benchIndex } from "../lib/bench-index.mjs";
import { dataOptions, openOptions, roundOptions, threadsOption } from "../lib/common-options.mjs";
import { openCorpus } from "../lib/corpus.mjs";
import { count, fixed, medianOf, withSpread } from "../lib/report.mjs";
import { median, quantile, spread } from "../lib/statistics.mjs";
import { chosenQueries } from "../lib/truth.mjs";

export const options = {
  ...dataOptions,
  ...roundOptions,
  ...threadsOption,
  callers: { type: "integers", default: [1, 2, 4, 8], describe: "numbers of callers to compare" },
  effort: {
    type: "string",
    default: "balanced",
    choices: ["balanced", "fast", "exact"],
    describe: "of each search",
  },
  k: { type: "integer", default: 10, describe: "hits" },
};

export async function run({ values, report }) {
  const corpus = await openCorpus(values);
  const queries = chosenQueries(corpus, values.queries);
  const { folder } = await benchIndex(corpus, { nbits: values.nbits, anyCode: values["any-code"] });
  const index = await Index.open(folder, openOptions(values));
  const search = { k: values.k, effort: values.effort };
  const measured = values.callers.map((callers) => ({ callers, rounds: [] }));
  try {
    // Round 0 warms up.
    for (let round = 0; round <= values.rounds; round++) {
      for (const { callers, rounds } of measured) {
        const turn = await answerAll(index, queries, callers, search);
        if (round > 0) rounds.push(turn);
      }
    }
  } finally {
    await index.close();
  }
  // The ratio of neighbours in one round: what else the machine does weighs on both.
  const one = measured[0].rounds;
  const rows = measured.map(({ callers, rounds }) => ({
    callers,
    rate: spread(rounds.map(({ rate }) => rate)),
    ratio: median(rounds.map(({ rate }, i) => rate / one[i].rate)),
    p50: spread(rounds.map(({ times }) => quantile(times, 0.5))),
    p95: spread(rounds.map(({ times }) => quantile(times, 0.95))),
  }));
  report.table(
    `${corpus.name}, ${count(corpus.passages)} passages, ${count(corpus.tokens)} tokens, ${values.nbits} bits, effort ${values.effort}; ${queries.length} queries a round, documents of the hits included`,
    [
      { key: "callers", title: "callers" },
      { key: "rate", title: "queries a second (p10-p90 of rounds)", format: withSpread(1) },
      { key: "ratio", title: `times that of ${values.callers[0]}`, format: fixed(2) },
      { key: "p50", title: "p50 ms", format: medianOf(2) },
      { key: "p95", title: "p95 ms", format: medianOf(2) },
    ],
    rows,
  );
}

/** Callers take the next query each until there is none. */
async function answerAll(index, queries, callers, search) {
  const times = [];
  let next = 0;
  const caller = async () => {
    while (next < queries.length) {
      const vectors = queries[next++];
      const before = performance.now();
      await index.searchEmbeddings(vectors, search);
      times.push(performance.now() - before);
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: callers }, caller));
  return { rate: (1000 * queries.length) / (performance.now() - started), times };
}
