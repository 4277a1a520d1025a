// What building an index of given vectors costs: seconds by stage, against encoding, memory, bytes a token by part.

import { benchIndex } from "../lib/bench-index.mjs";
import { dataOptions } from "../lib/common-options.mjs";
import { openCorpus } from "../lib/corpus.mjs";
import { encodeRate } from "../lib/encode-rate.mjs";
import { count, fixed, megabytes, percent, withSpread } from "../lib/report.mjs";
import { bytesATokenOf } from "../lib/section-table.mjs";
import { spread } from "../lib/statistics.mjs";

const STAGES = ["intake", "sample", "train", "write", "commit"];

export const options = {
  data: dataOptions.data,
  passages: dataOptions.passages,
  nbits: { type: "integers", default: [4, 2], choices: [1, 2, 4], describe: "bits of a residual component" },
  rounds: { type: "integer", default: 3, describe: "builds of each kind, in turns" },
  "no-ids": { type: "flag", default: false, describe: "also without vocabulary ids: flat clustering" },
  "encode-passages": {
    type: "integer",
    default: 192,
    min: 0,
    describe: "abstracts encoded to learn the rate; 0 to leave that out",
  },
};

export async function run({ values, report, say }) {
  const corpus = await openCorpus(values);
  say("measuring the rate of the encoder");
  const rate = values["encode-passages"] === 0 ? undefined : await encodeRate(values["encode-passages"]);
  const kinds = [true, ...(values["no-ids"] ? [false] : [])].flatMap((withIds) =>
    values.nbits.map((nbits) => ({ nbits, withIds, builds: [] })),
  );
  for (let round = 0; round < values.rounds; round++) {
    for (const { nbits, withIds, builds } of kinds) {
      const { record } = await benchIndex(corpus, { nbits, withIds, rebuild: true });
      builds.push(record);
    }
  }
  const size = `${corpus.name}, ${count(corpus.passages)} passages, ${count(corpus.tokens)} tokens`;
  const encoding = rate === undefined ? undefined : corpus.tokens / rate;
  report.note(
    encoding === undefined
      ? "Encoding was not measured."
      : `Encoding: ${count(rate)} tokens a second on all processors, so ${count(encoding)} s for these tokens.`,
  );
  report.table(
    `${size}: seconds by stage, reading the vectors left out`,
    SECONDS,
    kinds.map((kind) => secondsRow(kind, encoding)),
  );
  report.table(
    `${size}: largest resident memory of the building process, MB`,
    MEMORY,
    kinds.map((kind) => ({ ...label(kind), ...memoryOf(kind.builds) })),
  );
  report.table(
    `${size}: bytes a token`,
    BYTES,
    kinds.map((kind) => ({ ...label(kind), ...bytesATokenOf(kind.builds[0]) })),
  );
}

const label = ({ nbits, withIds }) => ({ nbits, clustering: withIds ? "token-aware" : "flat" });

function secondsRow({ builds, ...kind }, encoding) {
  const of = (pick) => spread(builds.map(pick));
  const whole = of(({ total }) => total);
  const codec = of(({ seconds }) => seconds.train + seconds.write);
  return {
    ...label(kind),
    centroids: builds[0].centroids,
    ...Object.fromEntries(STAGES.map((stage) => [stage, of(({ seconds }) => seconds[stage]).median])),
    whole,
    processor: of(({ processorSeconds }) => processorSeconds).median,
    codecShare: encoding && codec.median / encoding,
    share: encoding && whole.median / encoding,
  };
}

function memoryOf(builds) {
  if (builds.some(({ memory }) => memory === null)) return {};
  const largest = (when, key) => Math.max(...builds.map(({ memory }) => memory[when][key]));
  return {
    resident: largest("during", "resident"),
    anonymous: largest("during", "anonymous"),
    file: largest("during", "file"),
    before: largest("before", "anonymous"),
  };
}

const KIND = [
  { key: "nbits", title: "bits" },
  { key: "clustering", title: "clustering", left: true },
];
const SECONDS = [
  ...KIND,
  { key: "centroids", title: "centroids", format: count },
  { key: "intake", title: "take in, spill", format: fixed(1) },
  { key: "sample", title: "sample", format: fixed(1) },
  { key: "train", title: "train", format: fixed(1) },
  { key: "write", title: "assign, quantize, write", format: fixed(1) },
  { key: "commit", title: "commit", format: fixed(1) },
  { key: "whole", title: "in all (p10-p90)", format: withSpread(1) },
  { key: "processor", title: "processor s, reading included", format: fixed(1) },
  { key: "codecShare", title: "train + write / encoding", format: percent },
  { key: "share", title: "in all / encoding", format: percent },
];
const MEMORY = [
  ...KIND,
  { key: "resident", title: "resident", format: megabytes },
  { key: "anonymous", title: "beyond mapped files", format: megabytes },
  { key: "file", title: "mapped files", format: megabytes },
  { key: "before", title: "beyond mapped files before it began (source of the vectors)", format: megabytes },
];
const BYTES = [
  ...KIND,
  ...["residuals", "codes", "norms", "postings", "lengths", "other", "codec", "catalog"].map((key) => ({
    key,
    title: key,
    format: fixed(2),
  })),
  { key: "whole", title: "in all", format: fixed(2) },
  { key: "megabytes", title: "MB", format: fixed(0) },
];
