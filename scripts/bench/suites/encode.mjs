// How fast passages and queries are encoded, against a bare loop over the ONNX runtime with the same passages.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { loadModelSettings } from "../../../dist/models/load-settings.js";
import { resolveModel } from "../../../dist/models/registry.js";
import { TextTokenizer } from "../../../dist/models/tokenizer.js";
import { EncodePool } from "../../../dist/workers/encode-pool.js";
import { bareLoop, feedsOf } from "../lib/bare-session.mjs";
import { passageTexts } from "../lib/passage-texts.mjs";
import { count, fixed, percent, withSpread } from "../lib/report.mjs";
import { median, quantile, spread } from "../lib/statistics.mjs";

const QUERY_ROUNDS = 10;
const COLD_PROCESSES = 7;

export const options = {
  corpus: {
    type: "string",
    describe: "corpus.jsonl with `text` and perhaps `title` (default: the model's own texts)",
  },
  model: { type: "string", default: "default", describe: "name or folder" },
  passages: { type: "integer", default: 96, describe: "passages of at least 180 tokens" },
  rounds: { type: "integer", default: 5, describe: "rounds; sides take turns in each" },
  sessions: { type: "flag", default: false, describe: "compare options of the runtime's session instead" },
};

export async function run({ values, report }) {
  const settings = await loadModelSettings(await resolveModel(values.model));
  const tokenizer = await TextTokenizer.load(settings);
  const texts = passageTexts(settings, tokenizer, values.corpus, values.passages);
  const encoded = texts.map((text) => tokenizer.encodeDocument(text));
  const tokens = encoded.reduce((sum, { ids }) => sum + ids.length, 0);
  const size = `${settings.name}, ${texts.length} passages of ${Math.round(tokens / texts.length)} tokens`;
  if (values.sessions) {
    const rows = await sessions(settings, encoded, tokens, values.rounds);
    report.table(`${size}: options of a session, one at a time`, SESSIONS, rows);
    return;
  }
  report.table(
    `${size}, tokens a second`,
    PASSAGES,
    await passages(settings, texts, encoded, tokens, values.rounds),
  );
  report.table("Milliseconds a query", QUERY_COLUMNS, await queries(settings, tokenizer));
  report.table("A new process that encodes one query, milliseconds (medians)", COLD, [
    coldStart(values.model),
  ]);
}

async function poolLoop(settings, threads, texts) {
  const pool = await EncodePool.create(settings, { threads });
  await pool.encodePassages(texts.slice(0, 8));
  return { run: () => pool.encodePassages(texts), close: () => pool.close() };
}

async function passages(settings, texts, encoded, tokens, rounds) {
  const graph = settings.graphFile;
  const sides = [
    { name: "bare loop, 1 thread", ...(await bareLoop(graph, 1, 1, encoded)) },
    { name: "maxsim, 1 thread", ...(await poolLoop(settings, 1, texts)), against: 0 },
    { name: "bare loop, 2 threads of 1", ...(await bareLoop(graph, 2, 1, encoded)) },
    { name: "maxsim, 2 threads", ...(await poolLoop(settings, 2, texts)), against: 2 },
    { name: "bare loop, 1 thread of 2", ...(await bareLoop(graph, 1, 2, encoded)) },
    { name: "bare loop, 2 threads of 2", ...(await bareLoop(graph, 2, 2, encoded)) },
  ];
  const seconds = sides.map(() => []);
  const processor = sides.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [s, side] of sides.entries()) {
      const used = await timed(side.run);
      seconds[s].push(used.seconds);
      processor[s].push(used.processor);
    }
  }
  for (const side of sides) await side.close();
  return sides.map(({ name, against }, s) => ({
    name,
    rate: spread(seconds[s].map((t) => tokens / t)),
    // The ratio of neighbours in one round: what else the machine does weighs on both.
    share: against === undefined ? undefined : median(seconds[s].map((t, i) => seconds[against][i] / t)),
    processor: median(processor[s].map((t) => tokens / t)),
  }));
}

async function timed(work) {
  const cpu = process.cpuUsage();
  const started = performance.now();
  await work();
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { seconds, processor: (user + system) / 1e6 };
}

/** The session's options one by one, one run after the other on this thread. */
async function sessions(settings, encoded, tokens, rounds) {
  const spin = (value) => ({ extra: { session: { intra_op: { allow_spinning: value } } } });
  const compared = {
    "1 thread": { intraOpNumThreads: 1 },
    "1 thread, optimization extended": { intraOpNumThreads: 1, graphOptimizationLevel: "extended" },
    "1 thread, no arena": { intraOpNumThreads: 1, enableCpuMemArena: false },
    "1 thread, no memory pattern": { intraOpNumThreads: 1, enableMemPattern: false },
    "1 thread, denormals as zero": {
      intraOpNumThreads: 1,
      extra: { session: { set_denormal_as_zero: "1" } },
    },
    "2 threads": { intraOpNumThreads: 2, ...spin("1") },
    "2 threads, no spinning": { intraOpNumThreads: 2, ...spin("0") },
  };
  const sides = [];
  for (const [name, option] of Object.entries(compared)) {
    sides.push({ name, session: await ort.InferenceSession.create(settings.graphFile, option), rates: [] });
  }
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    for (const { session, rates } of sides) {
      const { processor } = await timed(async () => {
        for (const text of encoded) await session.run(feedsOf(text));
      });
      if (round > 0) rates.push(tokens / processor);
      // Threads that spin after their work would count for the next side.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return sides.map(({ name, rates }) => ({ name, processor: spread(rates), best: Math.max(...rates) }));
}

async function queries(settings, tokenizer) {
  const golden = JSON.parse(readFileSync(join(settings.folder, "golden.json"), "utf8")).items;
  const texts = golden.filter(({ kind }) => kind === "query").map(({ text }) => text);
  const pool = await EncodePool.create(settings);
  await pool.warmQueries();
  const maxsim = await timesOf(texts, (text) => pool.encodeQuery(text));
  await pool.close();
  const rows = [{ name: "maxsim", times: maxsim }];
  for (const threads of [1, 2]) {
    const session = await ort.InferenceSession.create(settings.graphFile, { intraOpNumThreads: threads });
    const tokenized = texts.map((text) => tokenizer.encodeQuery(text));
    const times = await timesOf(tokenized, (text) => session.run(feedsOf(text)));
    rows.push({ name: `bare session, ${threads} thread${threads > 1 ? "s" : ""}`, times });
  }
  return rows.map(({ name, times }) => ({ name, p50: median(times), p95: quantile(times, 0.95) }));
}

async function timesOf(items, call) {
  const times = [];
  for (let round = 0; round < QUERY_ROUNDS; round++) {
    for (const item of items) {
      const before = performance.now();
      await call(item);
      times.push(performance.now() - before);
    }
  }
  return times;
}

function coldStart(model) {
  const dist = new URL("../../../dist/", import.meta.url).href;
  const script = `
    const start = performance.now();
    const { resolveModel } = await import("${dist}models/registry.js");
    const { loadModelSettings } = await import("${dist}models/load-settings.js");
    const { EncodePool } = await import("${dist}workers/encode-pool.js");
    const imported = performance.now();
    const settings = await loadModelSettings(await resolveModel(${JSON.stringify(model)}));
    const read = performance.now();
    const pool = await EncodePool.create(settings);
    await pool.encodeQuery("how do I cancel a running task");
    const encoded = performance.now();
    await pool.close();
    console.log(JSON.stringify([imported - start, read - imported, encoded - read]));`;
  const runs = Array.from({ length: COLD_PROCESSES }, () => {
    const started = performance.now();
    const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", script], {
      encoding: "utf8",
    });
    if (stdout === "") throw new Error(stderr);
    return [performance.now() - started, ...JSON.parse(stdout)];
  });
  const [whole, imports, settings, query] = [0, 1, 2, 3].map((i) => median(runs.map((times) => times[i])));
  return { whole, imports, settings, query };
}

const PASSAGES = [
  { key: "name", title: "side", left: true },
  { key: "rate", title: "tokens/s (p10-p90 of rounds)", format: withSpread(0) },
  { key: "share", title: "of the bare loop", format: percent },
  { key: "processor", title: "tokens a processor second", format: count },
];
const SESSIONS = [
  { key: "name", title: "session", left: true },
  { key: "processor", title: "tokens a processor second (p10-p90 of rounds)", format: withSpread(0) },
  { key: "best", title: "best", format: count },
];
const QUERY_COLUMNS = [
  { key: "name", title: "a query", left: true },
  { key: "p50", title: "p50 ms", format: fixed(2) },
  { key: "p95", title: "p95 ms", format: fixed(2) },
];
const COLD = [
  { key: "whole", title: "process", format: fixed(0) },
  { key: "imports", title: "imports", format: fixed(0) },
  { key: "settings", title: "settings", format: fixed(0) },
  { key: "query", title: "thread, session, first query", format: fixed(0) },
];
