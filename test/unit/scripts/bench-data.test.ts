import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { grownCorpus } from "../../../scripts/bench/data/grown.mjs";
import { syntheticCorpus } from "../../../scripts/bench/data/synthetic.mjs";
import { blockRanges, passagesOf } from "../../../scripts/bench/lib/blocks.mjs";
import { exportSet } from "../../../scripts/bench/lib/export-set.mjs";
import { bytesATokenOf, bytesByPart } from "../../../scripts/bench/lib/section-table.mjs";
import { Index } from "../../../src/engine/index.js";

const folder = mkdtempSync(join(tmpdir(), "maxsim-bench-data-"));
afterAll(() => rmSync(folder, { recursive: true }));

const base = syntheticCorpus({ data: "synthetic", passages: 120 });
const { dim } = base;
const grow = (passages: number, firstCopy = 0) =>
  grownCorpus(base, { passages, firstCopy }, join(folder, "statistics"));

/** Rows and ids of a whole corpus. */
function whole(corpus: typeof base) {
  const lengths: number[] = [];
  const ids: number[] = [];
  const rows = new Float32Array(corpus.tokens * dim);
  for (const { passage, vectors, tokenIds } of passagesOf(corpus)) {
    expect(passage).toBe(lengths.length);
    expect(vectors.length).toBe(tokenIds.length * dim);
    rows.set(vectors, ids.length * dim);
    lengths.push(tokenIds.length);
    ids.push(...tokenIds);
  }
  return { lengths, ids, rows };
}

/** Comparing large arrays element by element would take minutes. */
function same(a: Float32Array, b: Float32Array): boolean {
  const bytes = (rows: Float32Array) => Buffer.from(rows.buffer, rows.byteOffset, rows.byteLength);
  return bytes(a).equals(bytes(b));
}

describe("blocks", () => {
  it("cover all passages once, in bounded pieces", () => {
    const lengths = Uint32Array.of(8000, 100, 100, 20_000, 0, 1);
    const ranges = [...blockRanges(lengths)];
    expect(ranges).toEqual([
      { first: 0, end: 2, from: 0, to: 8100 },
      { first: 2, end: 3, from: 8100, to: 8200 },
      { first: 3, end: 4, from: 8200, to: 28_200 },
      { first: 4, end: 6, from: 28_200, to: 28_201 },
    ]);
    expect([...blockRanges(new Uint32Array(0))]).toEqual([]);
  });
});

describe("a grown corpus", () => {
  const real = whole(base);

  it("begins with the real vectors, cut into windows", () => {
    const grown = grow(160);
    const found = whole(grown);
    expect(found.lengths).toEqual([...grown.lengths]);
    expect(found.lengths.every((length) => length >= 40 && length <= 100)).toBe(true);
    const { tokens: all } = base;
    const copied = Math.min(all, grown.tokens);
    expect(found.ids.slice(0, copied)).toEqual(real.ids.slice(0, copied));
    expect(same(found.rows.subarray(0, copied * dim), real.rows.subarray(0, copied * dim))).toBe(true);
  });

  it("is the same each time, whatever its size", () => {
    const large = whole(grow(360));
    expect(same(whole(grow(360)).rows, large.rows)).toBe(true);
    const small = whole(grow(280));
    expect(same(large.rows.subarray(0, small.rows.length), small.rows)).toBe(true);
    expect(large.lengths.slice(0, 280)).toEqual(small.lengths);
  });

  it("redraws further copies: same ids, unit rows, same mean and scatter of an id", () => {
    const copies = whole(grow(400, 1));
    expect(copies.ids.slice(0, base.tokens)).toEqual(real.ids);
    expect(same(copies.rows.subarray(0, dim), real.rows.subarray(0, dim))).toBe(false);
    expect(same(real.rows, whole(base).rows)).toBe(true);
    for (let t = 0; t < 50; t++) {
      const row = copies.rows.subarray(t * dim, (t + 1) * dim);
      expect(row.reduce((sum, x) => sum + x * x, 0)).toBeCloseTo(1, 4);
    }
    const expected = momentsOf(real, 0);
    const found = momentsOf(copies, 0);
    expect(found.count).toBeGreaterThan(200);
    expect(distance(found.mean, expected.mean)).toBeLessThan(0.05);
    expect(found.scatter / expected.scatter).toBeGreaterThan(0.9);
    expect(found.scatter / expected.scatter).toBeLessThan(1.1);
  });
});

/** Mean of the rows of an id, and their mean squared distance from it. */
function momentsOf({ ids, rows }: { ids: number[]; rows: Float32Array }, id: number) {
  const tokens = [...ids.keys()].filter((t) => ids[t] === id);
  const of = (t: number) => rows.subarray(t * dim, (t + 1) * dim);
  const mean = new Float64Array(dim);
  for (const t of tokens) for (const [d, x] of of(t).entries()) mean[d]! += x / tokens.length;
  const scatter = tokens.reduce((sum, t) => sum + distance(of(t), mean) ** 2, 0) / tokens.length;
  return { count: tokens.length, mean, scatter };
}

function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Math.sqrt(Array.from(a, (x, d) => (x - b[d]!) ** 2).reduce((sum, x) => sum + x, 0));
}

describe("an exported set", () => {
  const words = (path: string) => Array.from(new Uint32Array(new Uint8Array(readFileSync(path)).buffer));
  const exact = base.queries.map(() => [3, 1, 2]);

  it("holds lengths, queries, rankings and the vectors of a corpus in memory", () => {
    const set = join(folder, "set");
    exportSet(base, set, { exact });
    const description = JSON.parse(readFileSync(join(set, "set.json"), "utf8"));
    expect(description).toEqual({
      name: "synthetic",
      dim,
      passages: 120,
      tokens: base.tokens,
      queries: base.queries.length,
      shards: ["vectors.f32"],
    });
    expect(words(join(set, "lengths.u32"))).toEqual([...base.lengths]);
    expect(words(join(set, "query-lengths.u32"))).toEqual(base.queries.map((q) => q.length / dim));
    expect(JSON.parse(readFileSync(join(set, "exact.json"), "utf8"))).toEqual(exact);
    const vectors = new Float32Array(new Uint8Array(readFileSync(join(set, "vectors.f32"))).buffer);
    expect(same(vectors, base.rows!(0, base.tokens))).toBe(true);
  });

  it("refers to whole files of vectors and copies the part that belongs to it", () => {
    const set = join(folder, "set-of-files");
    const rows = base.rows!;
    const path = join(folder, "shard.f32");
    writeFileSync(path, new Uint8Array(rows(0, 100).buffer));
    const files = [
      { path, tokens: 100, whole: true },
      { path: join(folder, "larger.f32"), tokens: base.tokens - 100, whole: false },
    ];
    exportSet({ ...base, files }, set);
    const { shards } = JSON.parse(readFileSync(join(set, "set.json"), "utf8"));
    expect(shards).toEqual([path, "part-001.f32"]);
    const part = new Float32Array(new Uint8Array(readFileSync(join(set, "part-001.f32"))).buffer);
    expect(same(part, rows(100, base.tokens))).toBe(true);
  });
});

describe("bytes of an index by part", () => {
  it("add up to the files", async () => {
    const at = join(folder, "index");
    const index = await Index.create(at, { model: null, dim, nbits: 2 });
    const documents = [...passagesOf(syntheticCorpus({ data: "synthetic", passages: 50 }))].map(
      ({ passage, vectors }) => ({ id: String(passage), vectors }),
    );
    await index.addEmbeddings(documents);
    const { bytes, tokens } = index.info();
    await index.close();
    const parts: Record<string, number> = bytesByPart(at);
    expect(parts.residuals).toBe((tokens * dim * 2) / 8);
    expect(parts.codes).toBe(tokens * 2);
    expect(parts.norms).toBe(tokens * 2);
    expect(parts.codec).toBe(bytes.codec);
    const { catalog, codec, ...segment } = parts;
    expect(catalog).toBeGreaterThan(0);
    expect(codec).toBeGreaterThan(0);
    expect(Object.values(segment).reduce((sum, n) => sum + n, 0)).toBe(bytes.segments);
    expect(bytesATokenOf({ bytes: parts, tokens }).residuals).toBe((dim * 2) / 8);
  });
});
