// Seeded random token vectors in clusters, for trying a benchmark out where no real corpus is: an id of a small
// vocabulary has a direction, its vectors scatter around it, and ids are as unevenly frequent as words.

import { Random } from "../../../dist/common/random.js";
import { blockRanges } from "../lib/blocks.mjs";

const DIM = 128;
const VOCABULARY = 4000;
const QUERIES = 100;
const QUERY_TOKENS = 12;
/** Length of the scatter relative to the direction: residuals have about the norm that real ones have. */
const SCATTER = 0.5;
const DEFAULT_PASSAGES = 2000;

/** @param {import("../lib/corpus.mjs").CorpusSpec} spec @returns {import("../lib/corpus.mjs").Corpus} */
export function syntheticCorpus({ passages = DEFAULT_PASSAGES }) {
  const random = new Random(7);
  const directions = Float32Array.from({ length: VOCABULARY * DIM }, () => uniform(random));
  for (let id = 0; id < VOCABULARY; id++) normalize(directions.subarray(id * DIM, (id + 1) * DIM));
  const lengths = Uint32Array.from({ length: passages }, () => 40 + random.below(61));
  const tokens = lengths.reduce((sum, n) => sum + n, 0);
  const tokenIds = new Uint32Array(tokens);
  const vectors = new Float32Array(tokens * DIM);
  for (let t = 0; t < tokens; t++) {
    tokenIds[t] = Math.floor(VOCABULARY ** random.float()) - 1;
    const from = tokenIds[t] * DIM;
    scatter(directions.subarray(from, from + DIM), vectors.subarray(t * DIM, (t + 1) * DIM), random);
  }
  const queries = Array.from({ length: QUERIES }, () => {
    const query = new Float32Array(QUERY_TOKENS * DIM);
    const start = random.below(tokens - QUERY_TOKENS);
    for (let t = 0; t < QUERY_TOKENS; t++) {
      const from = (start + t) * DIM;
      scatter(vectors.subarray(from, from + DIM), query.subarray(t * DIM, (t + 1) * DIM), random);
    }
    return query;
  });
  return {
    spec: { data: "synthetic", passages },
    name: "synthetic",
    key: `synthetic ${passages}`,
    dim: DIM,
    passages,
    tokens,
    lengths,
    queries,
    rows: (from, to) => vectors.slice(from * DIM, to * DIM),
    *blocks() {
      for (const { first, end, from, to } of blockRanges(lengths)) {
        yield {
          first,
          lengths: lengths.subarray(first, end),
          tokenIds: tokenIds.subarray(from, to),
          vectors: vectors.subarray(from * DIM, to * DIM),
        };
      }
    },
  };
}

/** Mean 0, variance 1. */
function uniform(random) {
  return (random.float() - 0.5) * Math.sqrt(12);
}

function scatter(direction, out, random) {
  const step = SCATTER / Math.sqrt(DIM);
  for (let d = 0; d < DIM; d++) out[d] = direction[d] + step * uniform(random);
  normalize(out);
}

function normalize(row) {
  const norm = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));
  for (let d = 0; d < row.length; d++) row[d] /= norm;
}
