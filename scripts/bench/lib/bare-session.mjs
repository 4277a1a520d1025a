// The ONNX runtime without the engine around it: sessions on threads that run texts which are tokenized already, and do
// nothing with what comes out. This file is also the thread's program.

import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import * as ort from "onnxruntime-node";

/** Inputs of a graph for one tokenized text. */
export function feedsOf({ ids, attention }) {
  const wide = (x) => new ort.Tensor("int64", BigInt64Array.from(x, BigInt), [1, ids.length]);
  return { input_ids: wide(ids), attention_mask: wide(attention) };
}

/**
 * @param {string} graph path
 * @param {number} workers threads with a session each
 * @param {number} threads of each session
 * @param {readonly {ids: ArrayLike<number>, attention: ArrayLike<number>}[]} texts
 */
export async function bareLoop(graph, workers, threads, texts) {
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

async function runThread({ graph, threads, texts }) {
  const session = await ort.InferenceSession.create(graph, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
  });
  const feeds = texts.map(feedsOf);
  for (const feed of feeds.slice(0, 4)) await session.run(feed);
  parentPort.postMessage("ready");
  parentPort.on("message", async (from) => {
    if (from === "stop") return process.exit();
    // Texts are dealt out by an atomic counter, so that threads end together.
    const next = new Int32Array(from);
    for (let i = Atomics.add(next, 0, 1); i < feeds.length; i = Atomics.add(next, 0, 1)) {
      await session.run(feeds[i]);
    }
    parentPort.postMessage("done");
  });
}

if (!isMainThread) await runThread(workerData);
