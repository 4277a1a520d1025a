// Token vectors that benchmarks index, in blocks so that memory stays bounded.

import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { arxivCorpus, arxivMissing, BENCH_CACHE } from "../data/arxiv.mjs";
import { bytesOf } from "../data/files.mjs";
import { blockRanges } from "./blocks.mjs";

/**
 * Consecutive passages. The arrays are reused: they are valid until the next block is asked for.
 *
 * @typedef {object} Block
 * @property {number} first number of the first passage
 * @property {Uint32Array} lengths token vectors of each passage
 * @property {Uint32Array} tokenIds vocabulary id of each token vector
 * @property {Float32Array} vectors unit rows, `[tokens][dim]`
 *
 * @typedef {object} Corpus
 * @property {CorpusSpec} spec what `openCorpus` makes it from again, also in another process
 * @property {string} name
 * @property {string} key identifies the content
 * @property {number} dim
 * @property {number} passages
 * @property {number} tokens
 * @property {Uint32Array} lengths
 * @property {readonly Float32Array[]} queries unit rows, `[tokens][dim]`
 * @property {() => Generator<Block>} blocks
 * @property {(from: number, to: number) => Float32Array} [rows] token vectors `from` .. `to - 1`; only where they can
 *   be had in any order
 * @property {readonly VectorFile[]} [files] that hold the vectors one after another
 *
 * @typedef {object} VectorFile
 * @property {string} path little-endian float32 rows
 * @property {number} tokens those that belong to the corpus, from the start of the file
 * @property {boolean} whole whether the file holds no others
 *
 * @typedef {object} CorpusSpec
 * @property {"arxiv" | "grown" | "synthetic"} data see DATA_NAMES
 * @property {number} [passages] default: all there are
 * @property {number} [firstCopy] grown only
 */

export const DATA_NAMES = ["arxiv", "grown", "synthetic"];

/** Why a corpus cannot be had, or undefined. @param {CorpusSpec["data"]} data */
export function missingData(data) {
  return data === "synthetic" ? undefined : arxivMissing();
}

/** @param {CorpusSpec} spec @returns {Promise<Corpus>} */
export async function openCorpus(spec) {
  switch (spec.data) {
    case "arxiv":
      return arxiv(spec);
    case "grown": {
      const { grownCorpus } = await import("../data/grown.mjs");
      return grownCorpus(await arxiv({ data: "arxiv" }), spec);
    }
    default: {
      const { syntheticCorpus } = await import("../data/synthetic.mjs");
      return syntheticCorpus(spec);
    }
  }
}

async function arxiv(spec) {
  const source = await arxivCorpus();
  const passages = Math.min(source.passages, spec.passages ?? source.passages);
  const { key } = JSON.parse(readFileSync(join(BENCH_CACHE, "arxiv", "begun.json"), "utf8"));
  return fileCorpus({ ...source, key: `${key} ${passages}`, passages, spec: { data: "arxiv", passages } });
}

/** The first passages of shards on disk. */
function fileCorpus({ name, key, dim, passages, queries, spec, shards: readShards }) {
  const lengths = new Uint32Array(passages);
  const shards = [];
  const ids = [];
  let tokens = 0;
  let known = 0;
  for (const shard of readShards()) {
    if (known === passages) break;
    const taken = shard.lengths.subarray(0, passages - known);
    const count = taken.reduce((sum, n) => sum + n, 0);
    lengths.set(taken, known);
    shards.push({ path: shard.path, first: tokens, count, whole: count === shard.tokenIds.length });
    ids.push(shard.tokenIds.subarray(0, count));
    known += taken.length;
    tokens += count;
  }
  const tokenIds = new Uint32Array(tokens);
  for (const [s, { first }] of shards.entries()) tokenIds.set(ids[s], first);
  const readRows = (target, from) => {
    const to = from + target.length / dim;
    for (const { path, first, count } of shards) {
      const start = Math.max(from, first);
      const end = Math.min(to, first + count);
      if (start < end) {
        readAt(
          path,
          bytesOf(target.subarray((start - from) * dim, (end - from) * dim)),
          (start - first) * dim * 4,
        );
      }
    }
    return target;
  };
  return {
    spec,
    name,
    key,
    dim,
    passages,
    tokens,
    lengths,
    queries,
    files: shards.map(({ path, count, whole }) => ({ path, tokens: count, whole })),
    rows: (from, to) => readRows(new Float32Array((to - from) * dim), from),
    *blocks() {
      let vectors = new Float32Array(0);
      for (const { first, end, from, to } of blockRanges(lengths)) {
        if ((to - from) * dim > vectors.length) vectors = new Float32Array((to - from) * dim);
        yield {
          first,
          lengths: lengths.subarray(first, end),
          tokenIds: tokenIds.subarray(from, to),
          vectors: readRows(vectors.subarray(0, (to - from) * dim), from),
        };
      }
    },
  };
}

function readAt(path, target, position) {
  const file = openSync(path, "r");
  try {
    for (let done = 0; done < target.length; ) {
      const read = readSync(file, target, done, target.length - done, position + done);
      if (read === 0) throw new Error(`${path} ends early`);
      done += read;
    }
  } finally {
    closeSync(file);
  }
}
