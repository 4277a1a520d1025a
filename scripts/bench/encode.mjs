/**
 * How fast passages and queries are encoded, against a bare loop over the ONNX runtime with the same passages.
 *
 *   node scripts/bench/encode.mjs [--corpus corpus.jsonl] [--passages 96] [--rounds 5] [--model default] [--sessions]
 *
 * The corpus has one JSON object a line with `text` and perhaps `title`; without one, passages are put together from
 * the model's own golden texts. With --sessions it compares options of the runtime's session instead. Needs a build
 * (`npm run build`). All sides run in turns, A B C A B C; medians.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import * as ort from "onnxruntime-node";
import { loadModelSettings } from "../../dist/models/load-settings.js";
import { resolveModel } from "../../dist/models/registry.js";
import { TextTokenizer } from "../../dist/models/tokenizer.js";
import { EncodePool } from "../../dist/workers/encode-pool.js";

const MIN_TOKENS = 180;

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const quantile = (values, q) => [...values].sort((a, b) => a - b)[Math.floor(values.length * q)];

/** A session on this thread that runs texts that are tokenized already, and does nothing with what comes out. */
async function bareThread({ graph, threads, texts }) {
  const session = await ort.InferenceSession.create(graph, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
  });
  const feeds = texts.map(({ ids, attention }) => {
    const wide = (x) => new ort.Tensor("int64", BigInt64Array.from(x, BigInt), [1, ids.length]);
    return { input_ids: wide(ids), attention_mask: wide(attention) };
  });
  for (const feed of feeds.slice(0, 4)) await session.run(feed);
  parentPort.postMessage("ready");
  parentPort.on("message", async (from) => {
    if (from === "stop") return process.exit();
    // Texts are dealt out by an atomic counter, so that threads end together.
    const next = new Int32Array(from);
    for (let i = Atomics.add(next, 0, 1); i < feeds.length; i = Atomics.add(next, 0, 1))
      await session.run(feeds[i]);
    parentPort.postMessage("done");
  });
}

async function bareLoop(graph, workers, threads, texts) {
  const data = { graph, threads, texts };
  const pool = Array.from(
    { length: workers },
    () => new Worker(fileURLToPath(import.meta.url), { workerData: data }),
  );
  const all = () => Promise.all(pool.map((w) => new Promise((resolve) => w.once("message", resolve))));
  await all();
  return {
    async run() {
      const done = all();
      const counter = new SharedArrayBuffer(4);
      for (const w of pool) w.postMessage(counter);
      await done;
    },
    async close() {
      const ends = pool.map((w) => new Promise((resolve) => w.once("exit", resolve)));
      for (const w of pool) w.postMessage("stop");
      await Promise.all(ends);
    },
  };
}

async function poolLoop(settings, threads, texts) {
  const pool = await EncodePool.create(settings, { threads });
  await pool.encodePassages(texts.slice(0, 8));
  return { run: () => pool.encodePassages(texts), close: () => pool.close() };
}

function readTexts(settings, tokenizer, corpus, count) {
  if (corpus === undefined) {
    const golden = JSON.parse(readFileSync(join(settings.folder, "golden.json"), "utf8")).items;
    const sentences = golden.map((item) => item.text).filter((text) => text.length > 20 && text.length < 200);
    return Array.from({ length: count }, (_, i) => {
      let text = `passage ${i}.`;
      for (let j = 0; tokenizer.countTokens(text) < 200; j++)
        text += ` ${sentences[(i * 7 + j) % sentences.length]}`;
      return text;
    });
  }
  const texts = [];
  for (const line of readFileSync(corpus, "utf8").split("\n")) {
    if (texts.length === count || line === "") break;
    const { title = "", text } = JSON.parse(line);
    const whole = `${title} ${text}`;
    if (tokenizer.encodeDocument(whole).ids.length >= MIN_TOKENS) texts.push(whole);
  }
  return texts;
}

async function passages(settings, texts, encoded, rounds) {
  const tokens = encoded.reduce((sum, e) => sum + e.ids.length, 0);
  console.log(
    `\n${texts.length} passages of ${Math.round(tokens / texts.length)} tokens, ${rounds} rounds, tokens a second (median):\n`,
  );
  const graph = settings.graphFile;
  const sides = {
    "bare loop, 1 thread": await bareLoop(graph, 1, 1, encoded),
    "maxsim, 1 thread": await poolLoop(settings, 1, texts),
    "bare loop, 2 threads of 1": await bareLoop(graph, 2, 1, encoded),
    "maxsim, 2 threads": await poolLoop(settings, 2, texts),
    "bare loop, 1 thread of 2": await bareLoop(graph, 1, 2, encoded),
    "bare loop, 2 threads of 2": await bareLoop(graph, 2, 2, encoded),
  };
  const times = Object.fromEntries(Object.keys(sides).map((name) => [name, []]));
  const processor = Object.fromEntries(Object.keys(sides).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, side] of Object.entries(sides)) {
      const cpu = process.cpuUsage();
      const start = performance.now();
      await side.run();
      times[name].push(performance.now() - start);
      const { user, system } = process.cpuUsage(cpu);
      processor[name].push((user + system) / 1000);
    }
  }
  const rate = (values) => Math.round((tokens / median(values)) * 1000).toLocaleString("en");
  console.log(
    "| side | tokens/s | of the bare loop | tokens a processor second |\n| --- | ---: | ---: | ---: |",
  );
  for (const name of Object.keys(sides)) {
    const against = {
      "maxsim, 1 thread": "bare loop, 1 thread",
      "maxsim, 2 threads": "bare loop, 2 threads of 1",
    }[name];
    // The ratio of neighbours in one round: what else the machine does weighs on both.
    const share = against && median(times[name].map((t, i) => times[against][i] / t));
    console.log(
      `| ${name} | ${rate(times[name])} | ${share ? `${Math.round(share * 100)} %` : ""} | ${rate(processor[name])} |`,
    );
  }
  for (const side of Object.values(sides)) await side.close();
}

/** The session's options one by one, one run after the other on this thread. */
async function sessions(settings, encoded, rounds) {
  const spin = (value) => ({ extra: { session: { intra_op: { allow_spinning: value } } } });
  const options = {
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
  const tokens = encoded.reduce((sum, e) => sum + e.ids.length, 0);
  const sides = [];
  for (const [name, option] of Object.entries(options)) {
    sides.push({
      name,
      session: await ort.InferenceSession.create(settings.graphFile, option),
      processor: [],
    });
  }
  for (let round = 0; round <= rounds; round++) {
    for (const { session, processor } of sides) {
      const cpu = process.cpuUsage();
      for (const { ids, attention } of encoded) {
        const wide = (x) => new ort.Tensor("int64", BigInt64Array.from(x, BigInt), [1, ids.length]);
        await session.run({ input_ids: wide(ids), attention_mask: wide(attention) });
      }
      const { user, system } = process.cpuUsage(cpu);
      // The first round warms up.
      if (round > 0) processor.push((user + system) / 1e6);
      // Threads that spin after their work would count for the next side.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  console.log("\n| session | tokens a processor second, best |\n| --- | ---: |");
  for (const { name, processor } of sides) {
    console.log(`| ${name} | ${Math.round(tokens / Math.min(...processor)).toLocaleString("en")} |`);
  }
}

async function queries(settings, tokenizer) {
  const golden = JSON.parse(readFileSync(join(settings.folder, "golden.json"), "utf8")).items;
  const texts = golden.filter((item) => item.kind === "query").map((item) => item.text);
  const pool = await EncodePool.create(settings);
  await pool.warmQueries();
  const times = [];
  for (let round = 0; round < 10; round++) {
    for (const text of texts) {
      const start = performance.now();
      await pool.encodeQuery(text);
      times.push(performance.now() - start);
    }
  }
  await pool.close();
  const bare = {};
  for (const threads of [1, 2]) {
    const session = await ort.InferenceSession.create(settings.graphFile, { intraOpNumThreads: threads });
    bare[threads] = [];
    for (let round = 0; round < 10; round++) {
      for (const { ids, attention } of texts.map((text) => tokenizer.encodeQuery(text))) {
        const wide = (x) => new ort.Tensor("int64", BigInt64Array.from(x, BigInt), [1, ids.length]);
        const start = performance.now();
        await session.run({ input_ids: wide(ids), attention_mask: wide(attention) });
        bare[threads].push(performance.now() - start);
      }
    }
  }
  console.log("\n| a query, milliseconds | p50 | p95 |\n| --- | ---: | ---: |");
  for (const [name, values] of [
    ["maxsim", times],
    ["bare session, 1 thread", bare[1]],
    ["bare session, 2 threads", bare[2]],
  ]) {
    console.log(`| ${name} | ${median(values).toFixed(2)} | ${quantile(values, 0.95).toFixed(2)} |`);
  }
}

/** A new process that loads the model and encodes one query, a few times. */
function coldStart(model) {
  const dist = new URL("../../dist/", import.meta.url).href;
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
  const runs = Array.from({ length: 7 }, () => {
    const start = performance.now();
    const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", script], {
      encoding: "utf8",
    });
    if (stdout === "") throw new Error(stderr);
    return [performance.now() - start, ...JSON.parse(stdout)];
  });
  const [whole, imports, settings, query] = [0, 1, 2, 3].map((i) =>
    Math.round(median(runs.map((run) => run[i]))),
  );
  console.log(
    `\nCold start: ${whole} ms for a process that encodes one query (imports ${imports}, settings ${settings}, thread + session + first query ${query}).`,
  );
}

async function main() {
  const { values } = parseArgs({
    options: {
      corpus: { type: "string" },
      model: { type: "string", default: "default" },
      passages: { type: "string", default: "96" },
      rounds: { type: "string", default: "5" },
      sessions: { type: "boolean", default: false },
    },
  });
  const settings = await loadModelSettings(await resolveModel(values.model));
  const tokenizer = await TextTokenizer.load(settings);
  console.log(
    `${settings.name}, Node ${process.version}, ${availableParallelism()} x ${cpus()[0]?.model ?? "?"}`,
  );
  const texts = readTexts(settings, tokenizer, values.corpus, Number(values.passages));
  if (values.sessions) {
    const encoded = texts.map((text) => tokenizer.encodeDocument(text));
    return sessions(settings, encoded, Number(values.rounds));
  }
  await passages(
    settings,
    texts,
    texts.map((text) => tokenizer.encodeDocument(text)),
    Number(values.rounds),
  );
  await queries(settings, tokenizer);
  coldStart(values.model);
}

await (isMainThread ? main() : bareThread(workerData));
