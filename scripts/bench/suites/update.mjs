// What small changes of a large index cost beyond encoding: adding, replacing, deleting, updating, and merging.

import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Index } from "../../../dist/engine/index.js";
import { BENCH_CACHE } from "../data/arxiv.mjs";
import { benchIndex } from "../lib/bench-index.mjs";
import { passagesOf } from "../lib/blocks.mjs";
import { dataOptions } from "../lib/common-options.mjs";
import { openCorpus } from "../lib/corpus.mjs";
import { count, fixed, withSpread } from "../lib/report.mjs";
import { spread } from "../lib/statistics.mjs";

export const options = {
  ...dataOptions,
  rounds: { type: "integer", default: 8, describe: "rounds, one of each operation in each" },
  added: { type: "integer", default: 100, describe: "documents added at a time" },
  deleted: { type: "integer", default: 1000, describe: "documents deleted at a time" },
};

export async function run({ values, report, say }) {
  const corpus = await openCorpus(values);
  const { folder } = await benchIndex(corpus, { nbits: values.nbits, anyCode: values["any-code"] });
  const copies = mkdtempSync(join(BENCH_CACHE, "update-"));
  const live = join(copies, "index");
  say("copying the index");
  cpSync(folder, live, { recursive: true });
  try {
    const index = await Index.open(live);
    try {
      await measure(index, corpus, values, report);
    } finally {
      await index.close();
    }
  } finally {
    rmSync(copies, { recursive: true, force: true });
  }
}

async function measure(index, corpus, { rounds, added, deleted }, report) {
  const fresh = firstPassages(corpus, added);
  const before = index.info();
  const times = new Map();
  const timed = async (name, work) => {
    const started = performance.now();
    await work();
    const list = times.get(name) ?? [];
    list.push(performance.now() - started);
    times.set(name, list);
  };
  let next = 0;
  for (let round = 0; round < rounds; round++) {
    const renamed = fresh.map((document) => ({ ...document, id: `new ${round} ${document.id}` }));
    const gone = Array.from({ length: deleted }, () => String(before.documents - 1 - next++));
    const patches = Array.from({ length: added }, (_, i) => ({ id: String(i), metadata: { round } }));
    await timed(`add ${added}`, () => index.addEmbeddings(renamed));
    await timed(`replace ${added}`, () => index.addEmbeddings(renamed));
    await timed(`delete ${deleted}`, () => index.delete(gone));
    await timed(`update ${added}`, () => index.update(patches));
    await timed("delete 1", () => index.delete([`new ${round} 0`]));
  }
  await timed("compact", () => index.compact());
  await timed("compact all", () => index.compact({ all: true, graceMs: 0 }));
  const rows = [...times].map(([operation, milliseconds]) => ({
    operation,
    milliseconds: spread(milliseconds),
  }));
  report.table(
    `${corpus.name}, ${count(before.documents)} documents, ${count(before.tokens)} tokens: milliseconds of one call, encoding left out`,
    ROWS,
    rows.map((row) => ({ ...row, largest: Math.max(...times.get(row.operation)) })),
  );
}

const ROWS = [
  { key: "operation", title: "operation", left: true },
  { key: "milliseconds", title: "ms", format: withSpread(0) },
  { key: "largest", title: "largest ms", format: fixed(0) },
];

function firstPassages(corpus, wanted) {
  const documents = [];
  for (const { passage, vectors, tokenIds } of passagesOf(corpus)) {
    documents.push({ id: String(passage), vectors: vectors.slice(), tokenIds: tokenIds.slice() });
    if (documents.length === wanted) break;
  }
  return documents;
}
