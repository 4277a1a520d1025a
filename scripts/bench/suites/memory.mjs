// Resident memory of a process that searches: what is its own, and what are pages of mapped files.

import { benchIndex } from "../lib/bench-index.mjs";
import { dataOptions, openOptions, threadsOption } from "../lib/common-options.mjs";
import { openCorpus } from "../lib/corpus.mjs";
import { count, fixed, megabytes } from "../lib/report.mjs";
import { searchMemory } from "../lib/search-process.mjs";
import { chosenQueries } from "../lib/truth.mjs";

export const options = {
  ...dataOptions,
  passages: { type: "integers", describe: "the first N passages of them; several sizes make several rows" },
  ...threadsOption,
  queries: { type: "integer", default: 200, describe: "different queries" },
  searches: { type: "integer", default: 400, describe: "searches of one caller, and then of four" },
  efforts: {
    type: "strings",
    default: ["balanced"],
    choices: ["balanced", "fast", "exact"],
    describe: "settings, in a process each",
  },
};

export async function run({ values, report }) {
  const searching = [];
  const building = [];
  for (const passages of values.passages ?? [undefined]) {
    const corpus = await openCorpus({ ...values, passages });
    const queries = chosenQueries(corpus, values.queries);
    const { folder, record } = await benchIndex(corpus, { nbits: values.nbits, anyCode: values["any-code"] });
    const size = { passages: corpus.passages, tokens: corpus.tokens };
    const indexBytes = Object.values(record.bytes).reduce((sum, n) => sum + n, 0);
    for (const effort of values.efforts) {
      const settings = { effort, searches: values.searches, open: openOptions(values) };
      searching.push({ ...size, effort, indexBytes, ...(await searchMemory(folder, queries, settings)) });
    }
    if (record.memory !== null) {
      const { before, during } = record.memory;
      building.push({ ...size, ...during, before: before.anonymous });
    }
  }
  report.table(
    `Processes that search, ${values.data}, ${values.nbits} bits: largest resident memory, MB`,
    SEARCHING,
    searching,
  );
  report.table("The processes that built these indexes: largest resident memory, MB", BUILDING, building);
}

const SIZE = [
  { key: "passages", title: "passages", format: count },
  { key: "tokens", title: "tokens", format: count },
];
const SEARCHING = [
  ...SIZE,
  { key: "effort", title: "effort", left: true },
  { key: "indexBytes", title: "index", format: megabytes },
  { key: "started", title: "own, library loaded", format: megabytes },
  { key: "opened", title: "own, opened", format: megabytes },
  { key: "searched", title: "own, one caller", format: megabytes },
  { key: "concurrent", title: "own, four callers", format: megabytes },
  { key: "file", title: "mapped files", format: megabytes },
  { key: "resident", title: "in all", format: megabytes },
  { key: "openMilliseconds", title: "open ms", format: fixed(0) },
  { key: "firstMilliseconds", title: "first search ms", format: fixed(1) },
];
const BUILDING = [
  ...SIZE,
  { key: "anonymous", title: "own", format: megabytes },
  { key: "before", title: "own before it began (source of the vectors)", format: megabytes },
  { key: "file", title: "mapped files", format: megabytes },
  { key: "resident", title: "in all", format: megabytes },
];
