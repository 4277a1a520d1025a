// One question from a new process of the command line, everything included.

import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectRoot } from "../../lib/project.mjs";
import { arxivTexts } from "../data/arxiv.mjs";
import { benchIndex } from "../lib/bench-index.mjs";
import { dataOptions } from "../lib/common-options.mjs";
import { openCorpus } from "../lib/corpus.mjs";
import { count, megabytes, withSpread } from "../lib/report.mjs";
import { evenly, spread } from "../lib/statistics.mjs";

const COMMAND = join(projectRoot, "dist", "cli", "main.js");

export const options = {
  passages: {
    type: "integers",
    default: [10_000],
    describe: "abstracts of the index; several make several rows",
  },
  nbits: dataOptions.nbits,
  "any-code": dataOptions["any-code"],
  rounds: { type: "integer", default: 15, describe: "processes of each kind, in turns" },
};

export async function run({ values, report }) {
  const rows = arxivTexts();
  if (rows === undefined) {
    report.note("skipped: the texts of the abstracts are not there.");
    return;
  }
  const kinds = [
    { name: "node -e 0", arguments: ["-e", "0"], uses: [] },
    { name: "maxsim --version", arguments: [COMMAND, "--version"], uses: [] },
  ];
  for (const passages of values.passages) {
    const corpus = await openCorpus({ data: "arxiv", passages });
    const build = { nbits: values.nbits, anyCode: values["any-code"], texts: true };
    const { folder, record } = await benchIndex(corpus, build);
    const bytes = Object.values(record.bytes).reduce((sum, n) => sum + n, 0);
    kinds.push({
      name: "maxsim search",
      passages: corpus.passages,
      tokens: corpus.tokens,
      bytes,
      arguments: [COMMAND, "search", "--index", folder, "-k", "5", "--json"],
      uses: [],
    });
  }
  const questions = evenly(rows.length, values.rounds).map((row) => rows[row].query);
  const scratch = mkdtempSync(join(tmpdir(), "maxsim-cold-"));
  try {
    // The first round fills the system's cache of files.
    for (let round = -1; round < values.rounds; round++) {
      for (const kind of kinds) {
        const question = kind.passages === undefined ? [] : [questions[Math.max(0, round)]];
        const use = oneProcess([...kind.arguments, ...question], join(scratch, "usage"));
        if (round >= 0) kind.uses.push(use);
      }
    }
  } finally {
    rmSync(scratch, { recursive: true });
  }
  report.table(
    `New processes, ${values.rounds} of each kind in turns, files in the system's cache`,
    COLUMNS,
    kinds.map(({ uses, arguments: _, ...kind }) => ({
      ...kind,
      seconds: spread(uses.map(({ seconds }) => seconds)),
      processor: spread(uses.map(({ processor }) => processor)),
      peak: spread(uses.map(({ peakBytes }) => peakBytes)).median,
    })),
  );
}

function oneProcess(given, usageFile) {
  const usage = openSync(usageFile, "w");
  const preload = new URL("../lib/exit-usage.mjs", import.meta.url).href;
  const started = performance.now();
  const { status, stderr } = spawnSync(process.execPath, ["--import", preload, ...given], {
    stdio: ["ignore", "ignore", "pipe", usage],
    encoding: "utf8",
  });
  const seconds = (performance.now() - started) / 1000;
  closeSync(usage);
  if (status !== 0) throw new Error(`${given.join(" ")} ended with status ${status}: ${stderr}`);
  return { seconds, ...JSON.parse(readFileSync(usageFile, "utf8")) };
}

const COLUMNS = [
  { key: "name", title: "process", left: true },
  { key: "passages", title: "passages", format: count },
  { key: "tokens", title: "tokens", format: count },
  { key: "bytes", title: "index MB", format: megabytes },
  { key: "seconds", title: "seconds (p10-p90)", format: withSpread(3) },
  { key: "processor", title: "processor seconds (p10-p90)", format: withSpread(3) },
  { key: "peak", title: "peak memory MB", format: megabytes },
];
