/**
 * An index that Stanford ColBERT wrote with the colbertv2.0 checkpoint, and exact results over the vectors before
 * compression: an oracle for MaxSim, posting lists and retrieval that shares nothing with this project.
 */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bestPositions, floatMaxSim } from "../../scripts/lib/float-maxsim.mjs";
import { overlap } from "../../scripts/lib/report.mjs";
import { buildPostings, readPostings } from "../../src/codec/postings.js";
import { Index } from "../../src/engine/index.js";
import type { SearchTuning } from "../../src/search/parameters.js";
import { readNpy, toFloats } from "../../src/storage/npy.js";
import {
  decodeStanfordIndex,
  readStanfordIndex,
  type StanfordIndex,
  unpackBuckets,
} from "../support/stanford-index.js";
import { tempFolder } from "../support/temp-folder.js";

const folder = resolve(import.meta.dirname, "..", "..", "..", "shared", "data", "colbertv2-lotte500");
const missing = existsSync(join(folder, "index", "metadata.json"))
  ? ""
  : " (skipped: the optional folder ../shared/data/colbertv2-lotte500 does not exist)";

/** Packed bytes as the format defines them. */
const PACKED: readonly (readonly [nbits: number, buckets: readonly number[], packed: string])[] = [
  [1, [1, 0, 1, 1, 0, 0, 1, 0], "b2"],
  [2, [0, 1, 2, 3], "27"],
  [2, [3, 2, 2, 1, 1, 0, 0, 0], "d680"],
  [4, [1, 2], "84"],
  [4, [0, 1, 2, 3, 4, 5, 6, 7], "084c2a6e"],
  [4, [8, 9, 10, 11, 12, 13, 14, 15], "195d3b7f"],
  [8, [1, 128, 200, 255], "800113ff"],
];

describe("bucket packing of Stanford ColBERT", () => {
  test.each(PACKED)("%i bits of %j are %s", (nbits, buckets, packed) => {
    expect([...unpackBuckets(Buffer.from(packed, "hex"), nbits)]).toEqual(buckets);
  });
});

describe.skipIf(missing !== "")(`index of 500 LoTTE passages by colbertv2.0${missing}`, () => {
  let stanford: StanfordIndex;
  let vectors: Float32Array;
  /** f32 `[32][128]` each. */
  let queries: Float32Array[];
  /** Best passages over the vectors before compression. */
  let exact: string[][];
  /** Best passages over the decoded vectors, by float32 MaxSim. */
  let decoded: string[][];

  beforeAll(async () => {
    stanford = readStanfordIndex(join(folder, "index"));
    vectors = decodeStanfordIndex(stanford);
    const array = await readNpy(join(folder, "queries.npy"));
    const [count = 0, tokens = 0, dim = 0] = array.shape;
    const values = toFloats(array, "queries.npy");
    queries = Array.from({ length: count }, (_, q) =>
      values.subarray(q * tokens * dim, (q + 1) * tokens * dim),
    );
    exact = exactRankings();
    const rows = (from: number, to: number) => vectors.subarray(from * dim, to * dim);
    const scores = await floatMaxSim({ dim, lengths: stanford.lengths, rows }, queries);
    decoded = scores.map((row) => bestPositions(row, 10).map(String));
  });

  /** Lines of query id, passage position, rank, score; queries in the order of queries.npy. */
  function exactRankings(): string[][] {
    const byQuery = new Map<string, string[]>();
    for (const line of readFileSync(join(folder, "exact-top10.tsv"), "utf8").trim().split("\n")) {
      const [query = "", passage = ""] = line.split("\t");
      byQuery.set(query, [...(byQuery.get(query) ?? []), passage]);
    }
    const order = readFileSync(join(folder, "queries.dev.tsv"), "utf8").trim().split("\n");
    return order.map((line) => byQuery.get(line.split("\t")[0] ?? "") ?? []);
  }

  /** Queries whose best passage is the same. */
  function sameFirst(a: readonly string[][], b: readonly string[][]): number {
    return a.filter((ids, q) => ids[0] === b[q]?.[0]).length;
  }

  test("has the stated sizes and unit vectors", () => {
    expect([stanford.dim, stanford.nbits, stanford.size]).toEqual([128, 2, 2048]);
    expect([stanford.lengths.length, stanford.codes.length, queries.length]).toEqual([500, 56_658, 100]);
    expect([...stanford.cutoffs]).toEqual([...stanford.cutoffs].sort((a, b) => a - b));
    let farthest = 0;
    for (const rows of [stanford.centroids, vectors]) {
      for (let at = 0; at < rows.length; at += 128) {
        let square = 0;
        for (let i = at; i < at + 128; i++) square += rows[i]! * rows[i]!;
        farthest = Math.max(farthest, Math.abs(square - 1));
      }
    }
    // Centroids are stored in half precision.
    expect(farthest).toBeLessThan(2e-3);
  });

  test("its posting lists are those that its codes give here", () => {
    const { size, codes, lengths, lists } = stanford;
    const postings = buildPostings(Uint16Array.from(codes), lengths, size);
    const list = new Uint32Array(lengths.length);
    for (let k = 0; k < size; k++) {
      const [start, end] = [postings.offsets[k]!, postings.offsets[k + 1]!];
      const count = readPostings(postings.bytes, start, end, lengths.length, list, "memory");
      expect([...list.subarray(0, count)]).toEqual(lists[k]);
    }
  });

  test("MaxSim over its 2-bit vectors finds the exact best passage of 93 queries and 77 % of the top 10", () => {
    expect(sameFirst(exact, decoded)).toBe(93);
    expect(overlap(exact, decoded, 10)).toBeCloseTo(0.77, 2);
  });

  // Measured: the best passage of all 100 queries, 97.5 % (exhaustive) and 97.2 % (pruned) of the top 10.
  describe("indexed here from its decoded vectors, 4 bits", () => {
    const indexFolder = join(tempFolder(), "index");
    let index: Index;

    beforeAll(async () => {
      index = await Index.create(indexFolder, { model: null, dim: 128, nbits: 4 });
      let at = 0;
      const documents = Array.from(stanford.lengths, (length, p) => {
        const from = at;
        at += length * 128;
        return { id: String(p), vectors: vectors.subarray(from, at) };
      });
      await index.addEmbeddings(documents);
    });

    afterAll(async () => {
      await index.close();
    });

    async function search(tuning: SearchTuning, plan: string): Promise<string[][]> {
      const rankings: string[][] = [];
      for (const query of queries) {
        const { hits, explanation } = await index.searchEmbeddings(query, {
          k: 10,
          explain: true,
          ...tuning,
        });
        expect(explanation?.plan).toBe(plan);
        rankings.push(hits.map(({ id }) => id));
      }
      return rankings;
    }

    test("the exhaustive plan agrees with float32 MaxSim over the decoded vectors", async () => {
      const found = await search({ effort: "exact" }, "exhaustive");
      expect(sameFirst(decoded, found)).toBeGreaterThanOrEqual(99);
      expect(overlap(decoded, found, 10)).toBeGreaterThanOrEqual(0.96);
    });

    test("the pruned plan agrees with it as well", async () => {
      const found = await search({ exhaustiveTokens: 0 }, "pruned");
      expect(sameFirst(decoded, found)).toBeGreaterThanOrEqual(99);
      expect(overlap(decoded, found, 10)).toBeGreaterThanOrEqual(0.96);
    });
  });
});
