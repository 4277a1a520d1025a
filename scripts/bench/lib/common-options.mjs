// Options that several suites have.

import { DATA_NAMES } from "./corpus.mjs";

export const dataOptions = {
  data: {
    type: "string",
    default: "arxiv",
    choices: DATA_NAMES,
    describe: "token vectors to index",
  },
  passages: { type: "integer", describe: "the first N passages of them (default: all)" },
  nbits: { type: "integer", default: 4, choices: [1, 2, 4], describe: "bits of a residual component" },
  "any-code": { type: "flag", default: false, describe: "use a cached index also when other code built it" },
};

export const roundOptions = {
  queries: { type: "integer", default: 200, describe: "queries, evenly spread over those of the data" },
  rounds: { type: "integer", default: 5, describe: "rounds; contestants take turns in each" },
};

export const threadsOption = {
  threads: { type: "integer", describe: "threads of the index (default: all processors)" },
};

/** Options of Index.open. */
export function openOptions({ threads }) {
  return threads === undefined ? {} : { threads };
}
