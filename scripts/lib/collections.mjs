// Judged collections in the BEIR layout, as the measurements use them.

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { readCorpus } from "../../dist/datasets/corpus.js";
import { readQrels } from "../../dist/datasets/qrels.js";
import { readQueries } from "../../dist/datasets/queries.js";
import { projectRoot } from "./project.mjs";

export const COLLECTIONS = ["scifact", "cranfield", "nq-mini"];

/** An optional folder beside the checkout; the collections are no part of the project. */
export const DEFAULT_DATA = resolve(projectRoot, "..", "shared", "data", "collections");

/** Judged queries used, in sorted order of their ids; all where nothing is said. */
const QUERY_LIMITS = new Map([["nq-mini", 500]]);

/**
 * @typedef {object} Collection
 * @property {string} name
 * @property {string} fingerprint SHA-256 of corpus, queries and judgements, hexadecimal
 * @property {readonly {id: string, text: string}[]} queries judged ones, by id
 * @property {import("../../dist/evaluation/types.js").Qrels} qrels of those queries
 * @property {() => AsyncGenerator<import("../../dist/documents/types.js").DocumentInput>} documents
 */

/**
 * Why a collection cannot be measured; undefined when it can.
 *
 * @param {string} data folder of the collections
 * @param {string} name
 */
export function missingCollection(data, name) {
  const absent = ["corpus.jsonl", "queries.jsonl", join("qrels", "test.tsv")].find(
    (file) => !existsSync(join(data, name, file)),
  );
  return absent === undefined ? undefined : `${join(data, name, absent)} does not exist`;
}

/**
 * @param {string} data folder of the collections
 * @param {string} name
 * @returns {Promise<Collection>}
 */
export async function readCollection(data, name) {
  const folder = join(data, name);
  const files = ["corpus.jsonl", "queries.jsonl", join("qrels", "test.tsv")].map((file) =>
    join(folder, file),
  );
  const [corpusFile, queriesFile, qrelsFile] = files;
  const hash = createHash("sha256");
  for (const file of files) hash.update(readFileSync(file));
  const judgements = await readQrels(qrelsFile);
  const texts = new Map((await readQueries(queriesFile)).map(({ id, text }) => [id, text]));
  const ids = [...judgements.keys()].sort().slice(0, QUERY_LIMITS.get(name));
  const unknown = ids.find((id) => !texts.has(id));
  if (unknown !== undefined) throw new Error(`${qrelsFile} judges query ${unknown}, ${queriesFile} lacks it`);
  return {
    name,
    fingerprint: hash.digest("hex"),
    queries: ids.map((id) => ({ id, text: texts.get(id) })),
    qrels: new Map(ids.map((id) => [id, judgements.get(id)])),
    documents: () => documentsOf(corpusFile),
  };
}

async function* documentsOf(path) {
  for await (const item of readCorpus([path])) {
    if (item.kind !== "document") throw new Error(`${path}: ${item.reason}`);
    yield item.document;
  }
}
