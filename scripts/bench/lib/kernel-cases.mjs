// What the kernels are measured with: random vectors and passages of 70 tokens. Timing does not depend on the values,
// but on what lies in the caches: "hot" cases use 64 passages again and again, "cold" ones pick random passages each time.

import { buildPostings } from "../../../dist/codec/postings.js";
import { Random } from "../../../dist/common/random.js";
import { packCodebook, packQuery, packWeights, quantizeVectors } from "../../../dist/kernels/pack.js";
import { referenceBackend } from "../../../dist/kernels/reference.js";

const DIM = 128;
const PASSAGE = 70;
const HOT_PASSAGES = 64;
const CENTROIDS = 16_384;
const NPROBE = 8;
/** Different choices of cold passages, taken in turns; drawing them is no part of the times. */
const CHOICES = 32;
const VECTORS = 256;

/**
 * @typedef {object} KernelCase
 * @property {string} name
 * @property {string} unit that times are given for
 * @property {number} units in one call
 * @property {(backend: import("../../../dist/kernels/backend.js").KernelBackend) => void} call
 */

/**
 * @param {{passages: number, scored: number, queryTokens: readonly number[]}} options `passages` of the cold set,
 *   `scored` at once
 * @returns {Generator<KernelCase>} made one after the other, because their data are large
 */
export function* kernelCases({ passages, scored, queryTokens }) {
  const random = new Random(42);
  const data = randomPassages(random, passages);
  for (const tokens of queryTokens) yield* queryCases(random, data, tokens, Math.min(scored, passages));
  yield* buildCases(random, data.codebook);
}

function randomPassages(random, passages) {
  const tokens = passages * PASSAGE;
  const codes = new Uint16Array(tokens);
  for (let t = 0; t < tokens; t++) codes[t] = random.below(CENTROIDS);
  return {
    passages,
    tokens,
    codes,
    codebook: packCodebook(normals(random, CENTROIDS * DIM), DIM),
    offsets: Uint32Array.from({ length: passages + 1 }, (_, i) => i * PASSAGE),
    inverseNorms: new Uint16Array(tokens).fill(0x3c00),
    postings: buildPostings(codes, new Uint32Array(passages).fill(PASSAGE), CENTROIDS),
  };
}

function* queryCases(random, data, queryTokens, scored) {
  const { passages, tokens, codes, codebook, offsets, inverseNorms, postings } = data;
  const query = packQuery(normals(random, queryTokens * DIM), queryTokens, DIM);
  const table = new Float32Array(CENTROIDS * query.lanes);
  const bytes = new Uint8Array(CENTROIDS * query.lanes);
  referenceBackend.centroidScores(query, codebook, table, bytes);
  const out = new Float32Array(scored);
  const hot = Uint32Array.from({ length: HOT_PASSAGES }, (_, i) => i);
  const choices = Array.from({ length: CHOICES }, () =>
    Uint32Array.from({ length: scored }, () => random.below(passages)),
  );
  let next = 0;
  const cold = () => choices[next++ % CHOICES];
  const chosen = [
    { suffix: "hot", units: HOT_PASSAGES * PASSAGE, pick: () => hot },
    { suffix: "cold", units: scored * PASSAGE, pick: cold },
  ];
  const of = `${queryTokens} query tokens`;
  for (const nbits of [4, 2]) {
    const compressed = { codes, residuals: randomBytes(random, (tokens * DIM * nbits) / 8), inverseNorms };
    const quantizer = randomQuantizer(random, nbits);
    for (const { suffix, units, pick } of chosen) {
      yield {
        name: `maxsim, ${of}, ${nbits} bits, ${suffix}`,
        unit: "token",
        units,
        call: (backend) => backend.maxsim(query, quantizer, table, compressed, offsets, pick(), out),
      };
    }
  }
  for (const { suffix, units, pick } of chosen) {
    yield {
      name: `approximate, ${of}, ${suffix}`,
      unit: "token",
      units,
      call: (backend) => backend.approximate(query, bytes, codes, offsets, pick(), out),
    };
  }
  yield {
    name: `centroidScores, ${of}`,
    unit: "centroid",
    units: CENTROIDS,
    call: (backend) => backend.centroidScores(query, codebook, table, bytes),
  };
  const ids = new Uint32Array(queryTokens * NPROBE);
  const scores = new Float32Array(queryTokens * NPROBE);
  yield {
    name: `topCentroids, ${of}, nprobe ${NPROBE}`,
    unit: "centroid",
    units: CENTROIDS,
    call: (backend) => backend.topCentroids(table, CENTROIDS, query, NPROBE, ids, scores),
  };
  referenceBackend.topCentroids(table, CENTROIDS, query, NPROBE, ids, scores);
  const probes = { nprobe: NPROBE, ids, scores };
  const scratch = { marks: new Uint8Array(passages), sums: new Float32Array(passages) };
  const reached = new Uint32Array(passages);
  const sums = new Float32Array(passages);
  yield {
    name: `gather, ${of}, nprobe ${NPROBE}`,
    unit: "posting",
    units: ids.reduce((sum, k) => sum + listLength(postings, k), 0),
    call: (backend) => backend.gather(query, probes, postings, null, scratch, reached, sums),
  };
  const gathered = referenceBackend.gather(query, probes, postings, null, scratch, reached, sums);
  const kept = new Uint32Array(scored);
  yield {
    name: `selectTop, ${of}, ${scored} of ${gathered}`,
    unit: "score",
    units: gathered,
    call: (backend) => backend.selectTop(sums.subarray(0, gathered), scored, kept),
  };
}

function* buildCases(random, codebook) {
  const vectors = quantizeVectors(normals(random, VECTORS * DIM), VECTORS, DIM);
  const codes = new Uint32Array(VECTORS);
  yield {
    name: `assign to all of ${CENTROIDS} centroids`,
    unit: "pair",
    units: VECTORS * CENTROIDS,
    call: (backend) => backend.assign(vectors, codebook, null, codes),
  };
  const ranges = new Uint32Array(VECTORS * 2);
  for (let i = 0; i < VECTORS; i++) {
    ranges[2 * i] = random.below(CENTROIDS - 64);
    ranges[2 * i + 1] = ranges[2 * i] + 64;
  }
  yield {
    name: "assign in ranges of 64 centroids",
    unit: "pair",
    units: VECTORS * 64,
    call: (backend) => backend.assign(vectors, codebook, ranges, codes),
  };
  for (const nbits of [4, 2]) {
    const quantizer = randomQuantizer(random, nbits);
    const residuals = new Uint8Array((VECTORS * DIM * nbits) / 8);
    const norms = new Uint16Array(VECTORS);
    yield {
      name: `compress, ${nbits} bits`,
      unit: "token",
      units: VECTORS,
      call: (backend) => backend.compress(vectors, codebook, quantizer, codes, residuals, norms),
    };
  }
}

/** Entries of a list: the bytes of varints that have no further byte. */
function listLength({ offsets, bytes }, centroid) {
  let entries = 0;
  for (let at = offsets[centroid]; at < offsets[centroid + 1]; at++) if (bytes[at] < 0x80) entries++;
  return entries;
}

function randomQuantizer(random, nbits) {
  return {
    nbits,
    cutoffs: normals(random, 2 ** nbits - 1).sort(),
    ...packWeights(normals(random, 2 ** nbits).sort()),
  };
}

function normals(random, length) {
  return Float32Array.from({ length }, () => random.normal());
}

/** Fills a large array quickly: a block of random words, repeated. */
function randomBytes(random, length) {
  const block = Uint32Array.from({ length: 1 << 18 }, () => random.uint32());
  const source = new Uint8Array(block.buffer);
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i += source.length) bytes.set(source.subarray(0, length - i), i);
  return bytes;
}
