/** A small run through every operation: a backend that differs from the reference here must not be used. */
import { Random } from "../common/random.js";
import type { CompressedTokens, KernelBackend, QuantizedVectors, ResidualQuantizer } from "./backend.js";
import { packCodebook, packQuery, packWeights, quantizeVectors } from "./pack.js";
import { referenceBackend } from "./reference.js";

const DIM = 16;
const QUERY_TOKENS = 5;
const CENTROIDS = 9;
const TOKENS = 21;

/** @throws Error naming the first operation whose result differs. */
export function selfCheck(backend: KernelBackend): void {
  const expected = outcomes(referenceBackend);
  for (const [operation, bytes] of outcomes(backend)) {
    if (Buffer.compare(bytes, expected.get(operation)!) !== 0) {
      throw new Error(`self-check failed: ${operation} differs from the plain TypeScript backend`);
    }
  }
}

/** Bytes of the result of each operation on fixed input. */
function outcomes(backend: KernelBackend): Map<string, Buffer> {
  const random = new Random(7);
  const normals = (length: number): Float32Array => Float32Array.from({ length }, () => random.normal());
  const query = packQuery(normals(QUERY_TOKENS * DIM), QUERY_TOKENS, DIM);
  const codebook = packCodebook(normals(CENTROIDS * DIM), DIM);
  const vectors: QuantizedVectors = quantizeVectors(normals(TOKENS * DIM), TOKENS, DIM);
  const quantizer: ResidualQuantizer = {
    nbits: 2,
    cutoffs: Float32Array.of(-0.7, 0, 0.7),
    ...packWeights(Float32Array.of(-1.2, -0.3, 0.3, 1.2)),
  };
  const offsets = Uint32Array.of(0, 8, 8, TOKENS);

  const table = new Float32Array(CENTROIDS * query.lanes);
  const bytes = new Uint8Array(CENTROIDS * query.lanes);
  backend.centroidScores(query, codebook, table, bytes);
  const ids = new Uint32Array(QUERY_TOKENS * 3);
  const scores = new Float32Array(QUERY_TOKENS * 3);
  backend.topCentroids(table, CENTROIDS, query, 3, ids, scores);
  const selected = new Uint32Array(4);
  backend.selectTop(scores, selected.length, selected);
  // Centroid k has the passages 0 and k mod 3.
  const lists = Array.from({ length: CENTROIDS }, (_, k) => (k % 3 === 0 ? [0] : [0, k % 3]));
  const ends = Uint32Array.from(
    lists,
    (
      (sum) => (list: number[]) =>
        (sum += list.length)
    )(0),
  );
  const postings = { offsets: Uint32Array.of(0, ...ends), bytes: Uint8Array.from(lists.flat()) };
  const scratch = { marks: new Uint8Array(3), sums: new Float32Array(3) };
  const reached = new Uint32Array(3);
  const sums = new Float32Array(3);
  const gathered = backend.gather(query, { nprobe: 3, ids, scores }, postings, null, scratch, reached, sums);
  const codes = new Uint32Array(TOKENS);
  backend.assign(vectors, codebook, null, codes);
  const codesInRanges = new Uint32Array(TOKENS);
  // Vector i may choose among i mod CENTROIDS and what follows.
  const ranges = Uint32Array.from({ length: 2 * TOKENS }, (_, i) =>
    i % 2 === 0 ? (i / 2) % CENTROIDS : CENTROIDS,
  );
  backend.assign(vectors, codebook, ranges, codesInRanges);
  const residuals = new Uint8Array((TOKENS * DIM * quantizer.nbits) / 8);
  const inverseNorms = new Uint16Array(TOKENS);
  backend.compress(vectors, codebook, quantizer, codes, residuals, inverseNorms);
  const tokens: CompressedTokens = { codes, residuals, inverseNorms };
  const approximate = new Float32Array(3);
  backend.approximate(query, bytes, codes, offsets, null, approximate);
  const exact = new Float32Array(3);
  backend.maxsim(query, quantizer, table, tokens, offsets, null, exact);

  const results: [string, ArrayBufferView[]][] = [
    ["centroidScores", [table, bytes]],
    ["topCentroids", [ids, scores]],
    ["selectTop", [selected]],
    ["gather", [Uint32Array.of(gathered), reached, sums]],
    ["assign", [codes, codesInRanges]],
    ["compress", [residuals, inverseNorms]],
    ["approximate", [approximate]],
    ["maxsim", [exact]],
  ];
  return new Map(
    results.map(([operation, arrays]) => [
      operation,
      Buffer.concat(arrays.map((array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength))),
    ]),
  );
}
