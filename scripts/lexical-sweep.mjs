#!/usr/bin/env node
/**
 * What the choices of the full-text search are worth: nDCG@10 of BM25 alone, on the collections of ../shared or --data, as a
 * Markdown table. Takes a minute; nothing is encoded.
 *
 *   npm run build && node scripts/lexical-sweep.mjs [--data folder] [--collections scifact,cranfield,nq-mini]
 */
import { parseArgs } from "node:util";
import Database from "better-sqlite3";
import { Encoder } from "../dist/engine/encoder.js";
import { evaluate } from "../dist/evaluation/evaluate.js";
import { LexicalReader } from "../dist/lexical/reader.js";
import { LEXICAL_TABLE, LexicalWriter, lexicalSchema } from "../dist/lexical/table.js";
import { queryTerms, quoted } from "../dist/lexical/terms.js";
import { TextTokenizer } from "../dist/models/tokenizer.js";
import { splitDocument } from "../dist/text/split.js";
import { COLLECTIONS, DEFAULT_DATA, missingCollection, readCollection } from "./lib/collections.mjs";
import { say } from "./lib/project.mjs";

const METRIC = "nDCG@10";
/** Queries of a collection, the first by id. */
const QUERIES = 500;
const PASSAGES = 400;

const { values } = parseArgs({
  options: {
    data: { type: "string", default: DEFAULT_DATA },
    collections: { type: "string", default: COLLECTIONS.join(",") },
  },
});

/** Rows of the table: how passages are indexed, what is asked, and with which weights of title, text and parts. */
const VARIANTS = [
  { name: "as it is: `english`, title 2, parts 0.5", kind: "english", weights: [2, 1, 0.5] },
  { name: "title 1", kind: "english", weights: [1, 1, 0.5] },
  { name: "title 3", kind: "english", weights: [3, 1, 0.5] },
  { name: "parts 0", kind: "english", weights: [2, 1, 0] },
  { name: "parts 1", kind: "english", weights: [2, 1, 1] },
  { name: "function words looked up as well", kind: "english", asked: "words", weights: [2, 1, 0.5] },
  { name: "no stemming: `words`", kind: "words", weights: [2, 1, 0.5] },
  { name: "at most 5,000 passages scored", kind: "english", budget: 5000 },
  { name: "at most 1,000 passages scored", kind: "english", budget: 1000 },
];

async function splitting() {
  const encoder = await Encoder.load();
  const tokenizer = await TextTokenizer.load(encoder.settings);
  await encoder.close();
  return { budget: tokenizer.documentBudget, countTokens: (text) => tokenizer.countTokens(text) };
}

function tableOf(passages, kind) {
  const db = new Database(":memory:");
  db.exec(lexicalSchema(kind));
  const writer = new LexicalWriter(db);
  db.transaction(() => {
    passages.forEach(({ context, text }, i) => {
      writer.add(i, context, text);
    });
  })();
  return db;
}

/** Passage numbers, best first. */
function searchOf(db, passages, { kind, asked = kind, weights, budget }) {
  if (budget !== undefined) {
    const reader = new LexicalReader(db);
    const accepted = new Uint8Array(passages.length).fill(1);
    return (text) => {
      const terms = queryTerms(text, asked);
      return reader
        .search({ terms, accepted, limit: PASSAGES, passages: passages.length, budget })
        .found.map(({ passageNo, score }) => [passageNo, score]);
    };
  }
  const statement = db
    .prepare(
      `SELECT rowid, -rank FROM ${LEXICAL_TABLE} WHERE ${LEXICAL_TABLE} MATCH ? AND rank MATCH ? ORDER BY rank LIMIT ${PASSAGES}`,
    )
    .raw();
  const rank = `bm25(${weights.map((weight) => weight.toFixed(2)).join(", ")})`;
  return (text) => statement.all(queryTerms(text, asked).map(quoted).join(" OR "), rank);
}

const split = await splitting();
const columns = [];
for (const name of values.collections.split(",")) {
  const missing = missingCollection(values.data, name);
  if (missing !== undefined) {
    say(`skipped ${name}: ${missing}`);
    continue;
  }
  const collection = await readCollection(values.data, name);
  const passages = [];
  for await (const document of collection.documents()) {
    for (const { start, end, context } of splitDocument(document, split)) {
      passages.push({ document: document.id, context, text: document.text.slice(start, end) });
    }
  }
  const queries = [...collection.queries].sort((a, b) => (a.id < b.id ? -1 : 1)).slice(0, QUERIES);
  const qrels = new Map(
    queries.flatMap(({ id }) => (collection.qrels.has(id) ? [[id, collection.qrels.get(id)]] : [])),
  );
  const tables = new Map();
  const scores = VARIANTS.map((variant) => {
    const { kind } = variant;
    if (!tables.has(kind)) tables.set(kind, tableOf(passages, kind));
    const search = searchOf(tables.get(kind), passages, variant);
    const run = new Map(
      queries.map(({ id, text }) => {
        const best = new Map();
        for (const [passageNo, score] of search(text)) {
          const { document } = passages[passageNo];
          if (!best.has(document)) best.set(document, score);
        }
        return [id, [...best].slice(0, 100).map(([document, score]) => ({ id: document, score }))];
      }),
    );
    return evaluate(run, qrels, [METRIC]).means.get(METRIC);
  });
  for (const db of tables.values()) db.close();
  columns.push({ name, scores });
  say(`${name}: ${passages.length} passages, ${queries.length} queries`);
}
if (columns.length > 0) {
  console.log(`| | ${columns.map(({ name }) => name).join(" | ")} |`);
  console.log(`| --- |${columns.map(() => " ---: |").join("")}`);
  VARIANTS.forEach(({ name }, i) => {
    console.log(`| ${name} | ${columns.map(({ scores }) => scores[i].toFixed(4)).join(" | ")} |`);
  });
}
