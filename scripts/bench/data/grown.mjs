// Real token vectors grown to any number of passages of about 70 tokens, without changing their statistics.
//
// The first pass over the corpus cuts its passages into windows and takes their vectors as they are. Each further copy
// cuts elsewhere and draws every vector anew from what is known of its vocabulary id, a smoothed bootstrap that keeps
// mean and covariance of the id: v' = m + (v - m + s (u1 - u2) / sqrt(2)) / sqrt(1 + s^2), normalized, with m the mean
// of the id's vectors and u1, u2 two random ones of them. Nothing of the grown corpus is held in memory.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Random } from "../../../dist/common/random.js";
import { say } from "../../lib/project.mjs";
import { BENCH_CACHE } from "./arxiv.mjs";
import { bytesOf, readTyped } from "./files.mjs";

const SHORTEST = 40;
const LONGEST = 100;
const SEED = 20;
/** s of the formula. */
const STRENGTH = 0.4;
/** Vectors kept of each id to draw noise from. */
const KEPT = 32;

/**
 * @param {import("../lib/corpus.mjs").Corpus} base
 * @param {{passages?: number, firstCopy?: number}} options `firstCopy`: 0 to begin with the real vectors
 * @param {string} [cache] folder where the statistics of the corpus are kept
 * @returns {import("../lib/corpus.mjs").Corpus}
 */
export function grownCorpus(base, { passages = 100_000, firstCopy = 0 }, cache = join(BENCH_CACHE, "grown")) {
  const lengths = new Uint32Array(passages);
  let cut = 0;
  for (let copy = firstCopy; cut < passages; copy++) {
    const before = cut;
    for (const window of windowLengths(base.lengths, copy)) {
      if (cut === passages) break;
      lengths[cut++] = window;
    }
    if (cut === before) throw new Error(`${base.name} has no token vector to grow from`);
  }
  const key = `${base.key} grown ${passages} from ${firstCopy} seed ${SEED} strength ${STRENGTH} kept ${KEPT}`;
  return {
    spec: { data: "grown", passages, firstCopy },
    name: `${base.name} grown to ${passages}`,
    key,
    dim: base.dim,
    passages,
    tokens: lengths.reduce((sum, n) => sum + n, 0),
    lengths,
    queries: base.queries,
    *blocks() {
      const statistics = idStatistics(base, cache);
      let first = 0;
      for (let copy = firstCopy; first < passages; copy++) {
        for (const block of copyOf(base, copy, statistics, passages - first)) {
          yield { first, ...block };
          first += block.lengths.length;
        }
      }
    },
  };
}

/** Lengths of the windows of one copy: drawn from 40 to 100, what is left over is never shorter than 40. */
function* windowLengths(lengths, copy) {
  const random = new Random(SEED + 1000 * copy);
  for (const length of lengths) yield* cuts(length, random);
}

function* cuts(length, random) {
  for (let rest = length; rest > 0; ) {
    let window = SHORTEST + random.below(LONGEST - SHORTEST + 1);
    if (rest - window < SHORTEST) window = rest <= LONGEST ? rest : rest >> 1;
    yield window;
    rest -= window;
  }
}

/** Blocks of one copy, at most `wanted` passages. */
function* copyOf(base, copy, statistics, wanted) {
  const { dim } = base;
  const random = new Random(SEED + 1000 * copy);
  const noise = new Random(SEED + 1000 * copy + 1);
  let left = wanted;
  let drawn = new Float32Array(0);
  for (const { lengths, tokenIds, vectors } of base.blocks()) {
    if (left === 0) return;
    const windows = [];
    let tokens = 0;
    for (const length of lengths) {
      for (const window of cuts(length, random)) {
        if (left === 0) break;
        windows.push(window);
        tokens += window;
        left--;
      }
    }
    const real = vectors.subarray(0, tokens * dim);
    if (copy > 0 && drawn.length < real.length) drawn = new Float32Array(real.length);
    const rows = copy > 0 ? drawn.subarray(0, real.length) : real;
    if (copy > 0) redraw(real, tokenIds, dim, statistics, noise, rows);
    yield { lengths: Uint32Array.from(windows), tokenIds: tokenIds.subarray(0, tokens), vectors: rows };
  }
}

/** Writes a draw of its id for each row into `out`. */
function redraw(rows, tokenIds, dim, { means, pool, scales, starts }, random, out) {
  const shrink = 1 / Math.sqrt(1 + STRENGTH * STRENGTH);
  const strength = STRENGTH / Math.SQRT2;
  for (let t = 0, row = 0; row < rows.length; t++, row += dim) {
    const id = tokenIds[t];
    const start = starts[id];
    const among = starts[id + 1] - start;
    const a = start + random.below(among);
    const b = start + random.below(among);
    const scaleA = strength * scales[a];
    const scaleB = strength * scales[b];
    const mean = id * dim;
    const first = a * dim;
    const second = b * dim;
    let square = 0;
    for (let d = 0; d < dim; d++) {
      const m = means[mean + d];
      const x = m + (rows[row + d] - m + scaleA * pool[first + d] - scaleB * pool[second + d]) * shrink;
      out[row + d] = x;
      square += x * x;
    }
    const norm = 1 / Math.sqrt(square);
    for (let d = row; d < row + dim; d++) out[d] *= norm;
  }
}

/**
 * `means` f32 `[ids][dim]`, `pool` s8 rows with `scales`, those of id i from `starts[i]` to `starts[i + 1]`. Kept on
 * disk, because every process that grows the corpus needs them.
 *
 * @typedef {{means: Float32Array, pool: Int8Array, scales: Float32Array, starts: Uint32Array}} IdStatistics
 * @returns {IdStatistics}
 */
function idStatistics(base, folder) {
  const name = createHash("sha256").update(`${base.key} ${SEED} ${KEPT}`).digest("hex").slice(0, 16);
  const path = (part) => join(folder, `${name}.${part}`);
  if (!existsSync(path("means.f32"))) {
    say(`${base.name}: statistics of ${base.tokens} token vectors by vocabulary id`);
    const made = computeStatistics(base);
    mkdirSync(folder, { recursive: true });
    writeFileSync(path("pool.s8"), bytesOf(made.pool));
    writeFileSync(path("scales.f32"), bytesOf(made.scales));
    writeFileSync(path("starts.u32"), bytesOf(made.starts));
    // Renamed last: with the means all of it is there.
    writeFileSync(path("part"), bytesOf(made.means));
    renameSync(path("part"), path("means.f32"));
  }
  return {
    means: readTyped(path("means.f32"), Float32Array),
    pool: readTyped(path("pool.s8"), Int8Array),
    scales: readTyped(path("scales.f32"), Float32Array),
    starts: readTyped(path("starts.u32"), Uint32Array),
  };
}

/** Two passes: how often each id occurs, then sums and a reservoir of KEPT rows each. */
function computeStatistics(base) {
  const { dim } = base;
  const counts = countIds(base);
  const starts = new Uint32Array(counts.length + 1);
  counts.forEach((n, id) => {
    starts[id + 1] = starts[id] + Math.min(KEPT, n);
  });
  const sums = new Float64Array(counts.length * dim);
  const pool = new Int8Array(starts[counts.length] * dim);
  const scales = new Float32Array(starts[counts.length]);
  const seen = new Uint32Array(counts.length);
  const random = new Random(SEED);
  for (const { tokenIds, vectors } of base.blocks()) {
    for (const [t, id] of tokenIds.entries()) {
      const row = t * dim;
      for (let d = 0; d < dim; d++) sums[id * dim + d] += vectors[row + d];
      const place = seen[id] < KEPT ? seen[id] : random.below(seen[id] + 1);
      seen[id]++;
      if (place < KEPT) keep(vectors.subarray(row, row + dim), starts[id] + place, pool, scales);
    }
  }
  const means = Float32Array.from(sums, (sum, i) => sum / Math.max(1, counts[Math.floor(i / dim)]));
  return { means, pool, scales, starts };
}

function countIds(base) {
  let counts = new Uint32Array(1 << 12);
  for (const { tokenIds } of base.blocks()) {
    for (const id of tokenIds) {
      if (id >= counts.length) {
        const larger = new Uint32Array(2 ** Math.ceil(Math.log2(id + 1)));
        larger.set(counts);
        counts = larger;
      }
      counts[id]++;
    }
  }
  return counts;
}

function keep(row, place, pool, scales) {
  const scale = row.reduce((max, x) => Math.max(max, Math.abs(x)), 0) / 127;
  scales[place] = scale;
  if (scale === 0) return;
  for (let d = 0; d < row.length; d++) pool[place * row.length + d] = Math.round(row[d] / scale);
}
