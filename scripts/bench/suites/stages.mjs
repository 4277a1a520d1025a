// What each stage of a search costs, sees and keeps.

import { Index } from "../../../dist/engine/index.js";
import { benchIndex } from "../lib/bench-index.mjs";
import { dataOptions, openOptions, roundOptions, threadsOption } from "../lib/common-options.mjs";
import { openCorpus } from "../lib/corpus.mjs";
import { count, fixed, percent, withSpread } from "../lib/report.mjs";
import { timedSearch } from "../lib/searching.mjs";
import { evenly, median, spread } from "../lib/statistics.mjs";
import { chosenQueries } from "../lib/truth.mjs";

const EFFORTS = ["balanced", "fast", "exact"];
/** Scoring everything takes long and has few stages. */
const EXACT_QUERIES = 10;

export const options = {
  ...dataOptions,
  ...roundOptions,
  ...threadsOption,
  efforts: {
    type: "strings",
    default: ["balanced", "fast"],
    choices: EFFORTS,
    describe: "settings to look at",
  },
  k: { type: "integer", default: 10, describe: "hits" },
};

export async function run({ values, report }) {
  const corpus = await openCorpus(values);
  const queries = chosenQueries(corpus, values.queries);
  const { folder, record } = await benchIndex(corpus, { nbits: values.nbits, anyCode: values["any-code"] });
  const index = await Index.open(folder, openOptions(values));
  const measured = values.efforts.map((effort) => ({ effort, rounds: [] }));
  try {
    // Round 0 warms up.
    for (let round = 0; round <= values.rounds; round++) {
      for (const { effort, rounds } of measured) {
        const turn = await pass(index, effort === "exact" ? few(queries) : queries, { k: values.k, effort });
        if (round > 0) rounds.push(turn);
      }
    }
  } finally {
    await index.close();
  }
  const size = `${corpus.name}, ${count(corpus.passages)} passages, ${count(corpus.tokens)} tokens, ${record.centroids} centroids, ${values.nbits} bits`;
  for (const { effort, rounds } of measured) {
    const plans = [...new Set(rounds.flat().map(({ plan }) => plan))].join(" and ");
    report.table(`${size}; effort ${effort}, plan ${plans}, k ${values.k}`, COLUMNS, stageRows(rounds));
  }
}

const few = (queries) => evenly(queries.length, EXACT_QUERIES).map((q) => queries[q]);

async function pass(index, queries, options) {
  const found = [];
  for (const vectors of queries) found.push(await timedSearch(index, vectors, options));
  return found;
}

/** Medians over the queries of each round, spread over the rounds. */
function stageRows(rounds) {
  const stages = [...new Set(rounds.flat().flatMap((search) => search.stages.map(({ stage }) => stage)))];
  const of = (search, stage) => search.stages.filter((one) => one.stage === stage);
  const sum = (search, stage, key) => of(search, stage).reduce((total, one) => total + one[key], 0);
  const whole = spread(
    rounds.map((turn) => median(turn.map(({ milliseconds, hydrate }) => milliseconds + hydrate))),
  );
  const searches = rounds.flat();
  const rows = stages.map((stage) => {
    const milliseconds = spread(
      rounds.map((turn) => median(turn.map((search) => sum(search, stage, "milliseconds")))),
    );
    return {
      stage,
      milliseconds,
      share: milliseconds.median / whole.median,
      seen: median(searches.map((search) => sum(search, stage, "seen"))),
      kept: median(searches.map((search) => sum(search, stage, "kept"))),
      what: of(searches[0], stage)[0]?.what,
    };
  });
  const staged = rows.reduce((total, { milliseconds }) => total + milliseconds.median, 0);
  return [
    ...rows,
    {
      stage: "outside of the stages",
      milliseconds: spread([Math.max(0, whole.median - staged)]),
      share: 1 - staged / whole.median,
    },
    { stage: "the whole call", milliseconds: whole, share: 1 },
  ];
}

const COLUMNS = [
  { key: "stage", title: "stage", left: true },
  { key: "milliseconds", title: "ms p50 (p10-p90 of rounds)", format: withSpread(3) },
  { key: "share", title: "share", format: percent },
  { key: "seen", title: "seen", format: fixed(0) },
  { key: "kept", title: "kept", format: fixed(0) },
  { key: "what", title: "of", left: true },
];
