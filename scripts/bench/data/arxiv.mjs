// The real corpus of the benchmarks: 65,000 arXiv abstracts and some of their titles as queries, encoded once with the
// bundled model and kept below .cache/bench/arxiv as float32. Encoding goes on where it was interrupted.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { Encoder } from "../../../dist/engine/encoder.js";
import { modelFingerprint } from "../../../dist/models/fingerprint.js";
import { projectRoot, say } from "../../lib/project.mjs";
import { bytesOf, readTyped } from "./files.mjs";

export const BENCH_CACHE = join(projectRoot, ".cache", "bench");
const SOURCE = join(projectRoot, "..", "shared", "data", "pairs", "arxiv-65k.jsonl.gz");
/** Abstracts of one file of vectors: about 200 MB. */
const SHARD = 2048;
/** Texts handed to the encoder at once. */
const BATCH = 256;
const QUERIES = 500;

/**
 * One shard: passages in the order of the source.
 *
 * @typedef {object} VectorShard
 * @property {Uint32Array} lengths token vectors of each passage
 * @property {Uint32Array} tokenIds vocabulary id of each token vector
 * @property {() => Float32Array} vectors unit rows, `[tokens][dim]`; read from disk at each call
 * @property {string} path file of the vectors: little-endian float32
 *
 * @typedef {object} VectorCorpus
 * @property {string} name
 * @property {number} dim
 * @property {number} passages
 * @property {number} tokens
 * @property {() => Generator<VectorShard>} shards
 * @property {readonly Float32Array[]} queries unit rows, `[tokens][dim]`
 * @property {readonly number[]} gold the passage that each query is the title of
 */

/** The reason why the corpus cannot be had, or undefined. */
export function arxivMissing() {
  return existsSync(SOURCE) || existsSync(join(BENCH_CACHE, "arxiv", "whole.json"))
    ? undefined
    : `${SOURCE} is not there`;
}

/** @returns {Promise<VectorCorpus>} */
export async function arxivCorpus() {
  const folder = join(BENCH_CACHE, "arxiv");
  if (!existsSync(join(folder, "whole.json"))) await encode(folder);
  const { dim, passages, tokens, shards, gold } = JSON.parse(
    readFileSync(join(folder, "whole.json"), "utf8"),
  );
  return {
    name: "arxiv-65k",
    dim,
    passages,
    tokens,
    gold,
    queries: splitRows(
      readTyped(join(folder, "queries.f32"), Float32Array),
      readTyped(join(folder, "query-lengths.u32"), Uint32Array),
      dim,
    ),
    *shards() {
      for (let s = 0; s < shards; s++) {
        const path = shardPath(folder, s);
        yield {
          lengths: readTyped(`${path}.lengths.u32`, Uint32Array),
          tokenIds: readTyped(`${path}.ids.u32`, Uint32Array),
          vectors: () => readTyped(`${path}.f32`, Float32Array),
          path: `${path}.f32`,
        };
      }
    },
  };
}

/** Titles (`query`) and abstracts (`pos`) in the order of the passages; undefined where the source is not there. */
export function arxivTexts() {
  if (!existsSync(SOURCE)) return undefined;
  return gunzipSync(readFileSync(SOURCE))
    .toString("utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

async function encode(folder) {
  const rows = arxivTexts();
  const encoder = await Encoder.load();
  try {
    const { dim } = encoder.settings;
    const key = createHash("sha256")
      .update(await modelFingerprint(encoder.settings))
      .update(readFileSync(SOURCE))
      .digest("hex");
    const begun = join(folder, "begun.json");
    if (!existsSync(begun) || JSON.parse(readFileSync(begun, "utf8")).key !== key) {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
      writeFileSync(begun, JSON.stringify({ key }));
    }
    const shards = Math.ceil(rows.length / SHARD);
    let tokens = 0;
    for (let s = 0; s < shards; s++) {
      const path = shardPath(folder, s);
      // The vectors are renamed last: a shard that has them is whole.
      if (!existsSync(`${path}.f32`)) {
        const texts = rows.slice(s * SHARD, (s + 1) * SHARD).map(({ pos }) => pos);
        await encodeShard(path, texts, encoder);
      }
      tokens += readTyped(`${path}.ids.u32`, Uint32Array).length;
      say(
        `arxiv-65k: encoded ${Math.min((s + 1) * SHARD, rows.length)} of ${rows.length} abstracts, ${tokens} tokens`,
      );
    }
    const step = rows.length / QUERIES;
    const gold = Array.from({ length: QUERIES }, (_, q) => Math.floor(q * step));
    const queries = await encoder.encodeQueries(gold.map((row) => rows[row].query));
    writeFileSync(join(folder, "queries.f32"), Buffer.concat(queries.map(({ vectors }) => bytesOf(vectors))));
    const lengths = Uint32Array.from(queries, ({ count }) => count);
    writeFileSync(join(folder, "query-lengths.u32"), bytesOf(lengths));
    const whole = { dim, passages: rows.length, tokens, shards, gold };
    writeFileSync(join(folder, "whole.json"), JSON.stringify(whole));
  } finally {
    await encoder.close();
  }
}

async function encodeShard(path, texts, encoder) {
  const encoded = [];
  for (let from = 0; from < texts.length; from += BATCH) {
    encoded.push(...(await encoder.encodeDocuments(texts.slice(from, from + BATCH))));
  }
  writeFileSync(`${path}.lengths.u32`, bytesOf(Uint32Array.from(encoded, ({ count }) => count)));
  writeFileSync(`${path}.ids.u32`, Buffer.concat(encoded.map(({ tokenIds }) => bytesOf(tokenIds))));
  writeFileSync(`${path}.part`, Buffer.concat(encoded.map(({ vectors }) => bytesOf(vectors))));
  renameSync(`${path}.part`, `${path}.f32`);
}

function shardPath(folder, shard) {
  return join(folder, `shard-${String(shard).padStart(3, "0")}`);
}

function splitRows(rows, lengths, dim) {
  let at = 0;
  return Array.from(lengths, (count) => {
    const from = at;
    at += count * dim;
    return rows.subarray(from, at);
  });
}
