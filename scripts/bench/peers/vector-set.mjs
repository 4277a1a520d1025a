// The vector set folder that the harness and the drivers of the peers share.
//
//   set.json            {"name", "dim", "passages", "tokens", "queries", "shards"?}
//   lengths.u32         token vectors of each passage
//   vectors.f32         unit rows of all passages; or the files of "shards", which together hold them. No shards at all:
//                       nothing can be built from the set, its queries can be asked
//   query-lengths.u32   token vectors of each query
//   queries.f32         unit rows of all queries
//
// Everything is little-endian. Paths in "shards" are relative to the folder, or absolute.

import { createHash } from "node:crypto";
import { closeSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { join, resolve } from "node:path";

/** Bytes at each end of a file of vectors that stand for the file in the key of its set. */
const SAMPLED = 65536;

/**
 * @typedef {object} VectorSet
 * @property {string} folder
 * @property {string} name
 * @property {number} dim
 * @property {number} passages
 * @property {number} tokens
 * @property {number} queries
 * @property {Uint32Array} lengths token vectors of each passage
 * @property {readonly string[]} files paths of the vectors of the passages
 */

/** @param {string} folder @returns {VectorSet} */
export function readVectorSet(folder) {
  const path = join(folder, "set.json");
  const description = JSON.parse(readFileSync(path, "utf8"));
  for (const field of ["dim", "passages", "tokens", "queries"]) {
    if (!Number.isSafeInteger(description[field]) || description[field] < 1) {
      throw new Error(`${path}: "${field}" is ${description[field]}, not a positive number`);
    }
  }
  const { name, dim, passages, tokens, queries, shards } = description;
  const set = {
    folder,
    name,
    dim,
    passages,
    tokens,
    queries,
    lengths: readWords(join(folder, "lengths.u32")),
    files: (shards ?? ["vectors.f32"]).map((file) => resolve(folder, file)),
  };
  const counted = set.lengths.reduce((sum, length) => sum + length, 0);
  const bytes = set.files.reduce((sum, file) => sum + statSync(file).size, 0);
  const expectedBytes = set.files.length === 0 ? 0 : tokens * dim * 4;
  const found = `${set.lengths.length} passages of ${counted} tokens and ${bytes} bytes of vectors`;
  if (set.lengths.length !== passages || counted !== tokens || bytes !== expectedBytes) {
    throw new Error(
      `${path} names ${passages} passages of ${tokens} tokens of dim ${dim}, there are ${found}`,
    );
  }
  return set;
}

/** A key that is the same for the same passages wherever the folder lies. @param {VectorSet} set */
export function vectorSetKey(set) {
  const hash = createHash("sha256").update(JSON.stringify([set.dim, set.passages, set.tokens]));
  hash.update(set.lengths);
  for (const file of set.files) {
    const { size } = statSync(file);
    const bytes = Buffer.alloc(Math.min(SAMPLED, size));
    const descriptor = openSync(file, "r");
    for (const position of [0, size - bytes.length]) {
      readSync(descriptor, bytes, 0, bytes.length, position);
      hash.update(bytes);
    }
    closeSync(descriptor);
  }
  return hash.digest("hex").slice(0, 16);
}

/**
 * The passages in order, `count` at a time.
 *
 * @param {VectorSet} set
 * @param {number} count
 * @returns {Generator<{first: number, lengths: Uint32Array, vectors: Float32Array}>}
 */
export function* passageBatches(set, count) {
  const files = [...set.files];
  let descriptor;
  /** Fills the buffer from the files that are left. */
  function fill(buffer) {
    for (let at = 0; at < buffer.length; ) {
      descriptor ??= openSync(files.shift(), "r");
      const read = readSync(descriptor, buffer, at, buffer.length - at, null);
      at += read;
      if (read === 0) {
        closeSync(descriptor);
        descriptor = undefined;
      }
    }
  }
  try {
    for (let first = 0; first < set.passages; first += count) {
      const lengths = set.lengths.subarray(first, first + count);
      const vectors = new Float32Array(lengths.reduce((sum, length) => sum + length, 0) * set.dim);
      fill(new Uint8Array(vectors.buffer));
      yield { first, lengths, vectors };
    }
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** The vectors of each query, one array a token. @param {VectorSet} set @returns {Float32Array[][]} */
export function queryVectors(set) {
  const words = readWords(join(set.folder, "queries.f32"));
  const rows = new Float32Array(words.buffer);
  let at = 0;
  return Array.from(readWords(join(set.folder, "query-lengths.u32")), (length) =>
    Array.from({ length }, () => {
      at += set.dim;
      return rows.subarray(at - set.dim, at);
    }),
  );
}

function readWords(path) {
  const bytes = readFileSync(path);
  if (bytes.length % 4 !== 0) throw new Error(`${path} has ${bytes.length} bytes, not a multiple of 4`);
  const words = new Uint32Array(bytes.length / 4);
  new Uint8Array(words.buffer).set(bytes);
  return words;
}
