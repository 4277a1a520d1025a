/** All operations of a search, one after the other, on an index of real vectors: every backend gives the same bits. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Codebook, KernelBackend, PackedQuery } from "../../src/kernels/backend.js";
import { packCodebook, packQuery } from "../../src/kernels/pack.js";
import { referenceBackend } from "../../src/kernels/reference.js";
import { readNpy, toFloats } from "../../src/storage/npy.js";
import { readStanfordIndex, type StanfordIndex } from "../support/stanford-index.js";
import { type BackendUnderTest, backendsUnderTest } from "./kernels/backends.js";
import { dirtyScratch, encodeLists } from "./kernels/lists.js";
import { expectSame } from "./kernels/same.js";

const folder = resolve(import.meta.dirname, "..", "..", "..", "shared", "data", "colbertv2-lotte500");
const missing = existsSync(join(folder, "index", "metadata.json"))
  ? undefined
  : "the optional folder ../shared/data/colbertv2-lotte500 does not exist";
const QUERIES = 12;

/** The stages of a search up to the candidates that would be scored exactly. */
function stages(
  kernels: KernelBackend,
  index: StanfordIndex,
  codebook: Codebook,
  query: PackedQuery,
  nprobe: number,
): Record<string, ArrayBufferView> {
  const table = new Float32Array(codebook.size * query.lanes);
  const bytes = new Uint8Array(codebook.size * query.lanes);
  kernels.centroidScores(query, codebook, table, bytes);
  const ids = new Uint32Array(query.tokens * nprobe);
  const scores = new Float32Array(query.tokens * nprobe);
  kernels.topCentroids(table, codebook.size, query, nprobe, ids, scores);
  const passages = index.lengths.length;
  const scratch = dirtyScratch(passages);
  const reached = new Uint32Array(passages);
  const sums = new Float32Array(passages);
  const postings = encodeLists(index.lists);
  const count = kernels.gather(query, { nprobe, ids, scores }, postings, null, scratch, reached, sums);
  const chosen = new Uint32Array(Math.min(64, count));
  kernels.selectTop(sums.subarray(0, count), chosen.length, chosen);
  const candidates = chosen.map((position) => reached[position]!);
  const offsets = new Uint32Array(passages + 1);
  index.lengths.forEach((length, p) => {
    offsets[p + 1] = offsets[p]! + length;
  });
  const approximate = new Float32Array(candidates.length);
  kernels.approximate(query, bytes, Uint16Array.from(index.codes), offsets, candidates, approximate);
  const best = new Uint32Array(10);
  kernels.selectTop(approximate, best.length, best);
  return {
    table,
    bytes,
    ids,
    scores,
    marks: scratch.marks,
    reached: reached.subarray(0, count),
    sums: sums.subarray(0, count),
    candidates,
    approximate,
    best: best.map((position) => candidates[position]!),
  };
}

let index: StanfordIndex;
let codebook: Codebook;
let queries: PackedQuery[];
let expected: Record<string, ArrayBufferView>[];

beforeAll(async () => {
  if (missing !== undefined) return;
  index = readStanfordIndex(join(folder, "index"));
  codebook = packCodebook(index.centroids, index.dim);
  const array = await readNpy(join(folder, "queries.npy"));
  const [, tokens = 0, dim = 0] = array.shape;
  const values = toFloats(array, "queries.npy");
  queries = Array.from({ length: QUERIES }, (_, q) =>
    packQuery(values.slice(q * tokens * dim, (q + 1) * tokens * dim), tokens, dim),
  );
  expected = queries.map((query, q) => stages(referenceBackend, index, codebook, query, 1 + (q % 8)));
});

function suite({ name, backend, reason, activate }: BackendUnderTest): void {
  const why = missing ?? reason;
  describe.skipIf(why !== undefined)(why === undefined ? name : `${name} (skipped: ${why})`, () => {
    beforeEach(activate);

    it("agrees at every stage", () => {
      queries.forEach((query, q) => {
        const found = stages(backend ?? referenceBackend, index, codebook, query, 1 + (q % 8));
        expect(found.reached!.byteLength).toBeGreaterThan(0);
        expectSame(found, expected[q]!);
      });
    });
  });
}

for (const backend of backendsUnderTest()) suite(backend);
