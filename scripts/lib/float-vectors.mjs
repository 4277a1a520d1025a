// Uncompressed token vectors of a collection, encoded once and kept below .cache/quality: several hundred megabytes.

import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { Encoder } from "../../dist/engine/encoder.js";
import { modelFingerprint } from "../../dist/models/fingerprint.js";
import { bestPositions, floatMaxSim } from "./float-maxsim.mjs";
import { CACHE, readJson } from "./measured-index.mjs";
import { say } from "./project.mjs";

/** Passages encoded between two writes. */
const BATCH = 512;
/** Documents kept of each exhaustive float32 ranking. */
const KEPT = 100;

/**
 * @typedef {object} FloatCollection
 * @property {number} dim
 * @property {readonly string[]} ids of the documents, in the order in which they were added
 * @property {Uint32Array} documents position in `ids` of each passage's document
 * @property {Uint32Array} lengths token vectors of each passage
 * @property {Uint32Array} tokenIds vocabulary id of each token vector
 * @property {(from: number, to: number) => Float32Array} rows token vectors `from` .. `to - 1`
 * @property {readonly {id: string, vectors: Float32Array}[]} queries
 * @property {readonly (readonly {id: string, score: number}[])[]} rankings the best documents of each query by
 *   exhaustive float32 MaxSim, best first; a document has the score of its best passage
 * @property {() => void} close
 */

/**
 * Vectors of the passages and of the collection's queries, and the exhaustive float32 rankings.
 *
 * @param {import("./collections.mjs").Collection} collection
 * @param {{ids: readonly string[], passages: readonly {document: number, text: string}[]}} split the ids of its
 *   documents, and the passages as the encoder reads them: `indexedPassages` or `splitCollection`
 * @returns {Promise<FloatCollection>}
 */
export async function floatCollection(collection, { ids, passages }) {
  const folder = join(CACHE, `${collection.name}-float`);
  const encoder = await Encoder.load();
  try {
    const hash = createHash("sha256").update(await modelFingerprint(encoder.settings));
    for (const { text } of [...passages, ...collection.queries]) hash.update(text).update("\0");
    const key = hash.digest("hex");
    if (readJson(join(folder, "whole.json"))?.key !== key) {
      await encode(folder, key, passages, collection.queries, encoder);
    }
    return await load(folder, encoder.settings.dim, ids, passages, collection.queries);
  } finally {
    await encoder.close();
  }
}

async function encode(folder, key, passages, queries, encoder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const lengths = new Uint32Array(passages.length);
  const tokenIds = [];
  const file = openSync(join(folder, "vectors.f32"), "w");
  try {
    for (let from = 0; from < passages.length; from += BATCH) {
      if (from % (BATCH * 4) === 0) say(`encoding passages in float32: ${from} of ${passages.length}`);
      const batch = Array.from({ length: Math.min(BATCH, passages.length - from) }, (_, i) => from + i);
      const scored = batch.filter((p) => passages[p].text !== "");
      const encoded = await encoder.encodeDocuments(scored.map((p) => passages[p].text));
      for (const [i, { vectors, count, tokenIds: found }] of encoded.entries()) {
        lengths[scored[i]] = count;
        tokenIds.push(found);
        writeSync(file, bytesOf(vectors));
      }
    }
  } finally {
    closeSync(file);
  }
  const encodedQueries = await encoder.encodeQueries(queries.map(({ text }) => text));
  const write = (name, parts) =>
    writeFileSync(join(folder, name), Buffer.concat(parts.map((part) => bytesOf(part))));
  write("lengths.u32", [lengths]);
  write("token-ids.u32", tokenIds);
  write("query-lengths.u32", [Uint32Array.from(encodedQueries, ({ count }) => count)]);
  write(
    "queries.f32",
    encodedQueries.map(({ vectors }) => vectors),
  );
  writeFileSync(join(folder, "whole.json"), JSON.stringify({ key }));
}

async function load(folder, dim, ids, passages, queries) {
  const lengths = readArray(join(folder, "lengths.u32"), Uint32Array);
  const queryLengths = readArray(join(folder, "query-lengths.u32"), Uint32Array);
  const queryVectors = readArray(join(folder, "queries.f32"), Float32Array);
  const file = openSync(join(folder, "vectors.f32"), "r");
  const tokens = lengths.reduce((sum, n) => sum + n, 0);
  const { size } = fstatSync(file);
  if (size !== tokens * dim * 4) {
    closeSync(file);
    throw new Error(`${folder} holds ${size} bytes of vectors, expected ${tokens * dim * 4}; remove it`);
  }
  let at = 0;
  const collection = {
    dim,
    ids,
    documents: Uint32Array.from(passages, ({ document }) => document),
    lengths,
    tokenIds: readArray(join(folder, "token-ids.u32"), Uint32Array),
    rows: (from, to) => {
      const out = new Float32Array((to - from) * dim);
      readFully(file, bytesOf(out), from * dim * 4);
      return out;
    },
    queries: queries.map(({ id }, q) => {
      const vectors = queryVectors.subarray(at, at + queryLengths[q] * dim);
      at += vectors.length;
      return { id, vectors };
    }),
    close: () => closeSync(file),
  };
  const rankings = await floatRankings(join(folder, "rankings.json"), collection);
  return { ...collection, rankings };
}

async function floatRankings(path, { dim, ids, documents, lengths, rows, queries }) {
  if (existsSync(path)) return readJson(path);
  say(`scoring ${lengths.length} passages for ${queries.length} queries in float32`);
  const scores = await floatMaxSim(
    { dim, lengths, rows },
    queries.map(({ vectors }) => vectors),
  );
  const rankings = scores.map((passageScores) => {
    const best = new Float32Array(ids.length).fill(Number.NEGATIVE_INFINITY);
    passageScores.forEach((score, p) => {
      if (score > best[documents[p]]) best[documents[p]] = score;
    });
    return bestPositions(best, KEPT).map((d) => ({ id: ids[d], score: best[d] }));
  });
  writeFileSync(`${path}.part`, JSON.stringify(rankings));
  renameSync(`${path}.part`, path);
  return rankings;
}

function bytesOf(array) {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function readArray(path, Type) {
  const bytes = readFileSync(path);
  const out = new Type(bytes.length / Type.BYTES_PER_ELEMENT);
  bytesOf(out).set(bytes);
  return out;
}

function readFully(file, target, position) {
  for (let done = 0; done < target.length; ) {
    const read = readSync(file, target, done, target.length - done, position + done);
    if (read === 0) throw new Error("the file of vectors ends early");
    done += read;
  }
}
