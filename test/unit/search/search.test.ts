import { beforeAll, describe, expect, it } from "vitest";
import { readPostings } from "../../../src/codec/postings.js";
import { withDeletions } from "../../../src/indexing/segment.js";
import type { PackedQuery } from "../../../src/kernels/backend.js";
import { packQuery } from "../../../src/kernels/pack.js";
import { referenceBackend as kernels } from "../../../src/kernels/reference.js";
import { Trace } from "../../../src/search/explain.js";
import { gather, type Probes } from "../../../src/search/gather.js";
import { HnswRouter } from "../../../src/search/hnsw-router.js";
import { searchParameters } from "../../../src/search/parameters.js";
import { type Router, ScanRouter } from "../../../src/search/router.js";
import { InlineScorer } from "../../../src/search/scorer.js";
import { searchSnapshot } from "../../../src/search/search.js";
import type { SearchSnapshot } from "../../../src/search/types.js";
import { DIM, memorySnapshot } from "../../support/built-segments.js";
import { exactMaxSim, type SyntheticCorpus } from "../../support/synthetic.js";

let corpus: SyntheticCorpus;
let snapshot: SearchSnapshot;

beforeAll(() => {
  ({ corpus, snapshot } = memorySnapshot({ passages: 240, passagesPerDocument: 3 }));
});

const context = (router: Router = new ScanRouter(kernels, snapshot.codec.codebook), trace = new Trace()) => ({
  kernels,
  scorer: new InlineScorer(kernels),
  router,
  trace,
});
const search = async (query: Float32Array, k: number, tuning: object, from = snapshot) =>
  searchSnapshot(from, packQuery(query, query.length / DIM, DIM), k, searchParameters(k, tuning), context());

function probesOf(query: PackedQuery, nprobe: number): Probes {
  const { codebook } = snapshot.codec;
  const table = new Float32Array(codebook.size * query.lanes);
  kernels.centroidScores(query, codebook, table);
  const ids = new Uint32Array(query.tokens * nprobe);
  const scores = new Float32Array(query.tokens * nprobe);
  kernels.topCentroids(table, codebook.size, query, nprobe, ids, scores);
  return { nprobe, ids, scores };
}

describe("exhaustive search", () => {
  it("agrees with float64 MaxSim over the decoded vectors", async () => {
    const query = corpus.query(17, 8);
    const { ranked, plan } = await search(query, 5, { effort: "exact" });
    expect(plan).toBe("exhaustive");
    const expected = snapshot.segments.flatMap((segment) => {
      const decoded = snapshot.codec.decode(segment.compressed);
      return Array.from({ length: segment.passages }, (_, p) => {
        const from = segment.offsets[p]! * DIM;
        return exactMaxSim(query, decoded.subarray(from, segment.offsets[p + 1]! * DIM), DIM);
      });
    });
    const best = new Map<number, number>();
    expected.forEach((score, p) => {
      const document = Math.floor(p / 3);
      best.set(document, Math.max(best.get(document) ?? Number.NEGATIVE_INFINITY, score));
    });
    const order = [...best.entries()].sort((a, b) => b[1] - a[1]).slice(0, 5);
    expect(ranked.map(({ documentNo }) => documentNo)).toEqual(order.map(([document]) => document));
    ranked.forEach(({ score, passageNo, documentNo }, i) => {
      expect(Math.abs(score - order[i]![1])).toBeLessThan(0.05);
      expect(Math.floor(passageNo / 3)).toBe(documentNo);
    });
  });
});

describe("pruned search", () => {
  const pruned = { exhaustiveTokens: 0 };

  it("with nothing pruned equals exhaustive search", async () => {
    const query = corpus.query(40, 6);
    const everything = { ...pruned, nprobe: 100_000, approximate: 1000, refine: 1000 };
    const found = await search(query, 20, everything);
    const exact = await search(query, 20, { effort: "exact" });
    expect(found.plan).toBe("pruned");
    expect(found.ranked).toEqual(exact.ranked);
  });

  it("finds the passage that a query was made from", async () => {
    for (const passage of [3, 77, 150, 239]) {
      const { ranked } = await search(corpus.query(passage, 10), 3, { ...pruned, nprobe: 4 });
      expect(ranked.map(({ documentNo }) => documentNo)).toContain(Math.floor(passage / 3));
    }
  });

  it("falls back to exhaustive when the candidates are too few", async () => {
    const { ranked, plan, reason } = await search(corpus.query(5, 1), 80, { ...pruned, nprobe: 1 });
    expect(plan).toBe("exhaustive");
    expect(reason).toMatch(/reached \d+ of 80/);
    expect(ranked).toHaveLength(80);
  });

  it("never returns deleted passages and still fills k", async () => {
    // Document n has the passages 3n, 3n + 1 and 3n + 2; the even ones are deleted.
    const even = Array.from({ length: 40 }, (_, i) => [i * 6, 3] as const);
    const halved: SearchSnapshot = {
      ...snapshot,
      segments: snapshot.segments.map((segment) => withDeletions(segment, even)),
      searchableDocuments: 40,
    };
    for (const tuning of [pruned, { effort: "exact" }]) {
      const { ranked } = await search(corpus.query(12, 8), 60, tuning, halved);
      expect(ranked).toHaveLength(40);
      expect(ranked.every(({ documentNo }) => documentNo % 2 === 1)).toBe(true);
    }
  });
});

describe("gather", () => {
  it("scores as the definition with imputed similarities does", () => {
    const query = packQuery(corpus.query(60, 7), 7, DIM);
    const probes = probesOf(query, 5);
    const segment = snapshot.segments[0]!;
    const { passages, reached } = gather(segment, query, probes, 10);
    const similarity = Array.from({ length: 7 }, () => new Map<number, number>());
    const list = new Uint32Array(segment.passages);
    for (let q = 0; q < 7; q++) {
      for (let n = q * 5; n < q * 5 + 5; n++) {
        const c = probes.ids[n]!;
        const from = segment.postingOffsets[c]!;
        const to = segment.postingOffsets[c + 1]!;
        const count = readPostings(segment.postings, from, to, segment.passages, list, "test");
        for (const p of list.subarray(0, count)) {
          const before = similarity[q]!.get(p) ?? Number.NEGATIVE_INFINITY;
          similarity[q]!.set(p, Math.max(before, probes.scores[n]!));
        }
      }
    }
    const touched = new Set(similarity.flatMap((map) => [...map.keys()]));
    expect(reached).toBe(touched.size);
    const total = (p: number): number =>
      similarity.reduce(
        (sum, map, q) => sum + query.scales[q]! * (map.get(p) ?? probes.scores[q * 5 + 4]!),
        0,
      );
    const cut = [...touched].map(total).sort((a, b) => b - a)[9]!;
    expect(passages).toHaveLength(10);
    for (const p of passages) expect(total(p)).toBeGreaterThanOrEqual(cut - 1e-4);
    expect([...passages]).toEqual([...passages].sort((a, b) => a - b));
  });
});

describe("a damaged posting list", () => {
  it("fails the search that meets it, by name, and no later one", async () => {
    const query = corpus.query(60, 7);
    const before = await search(query, 5, { exhaustiveTokens: 0 });
    const segment = snapshot.segments[0]!;
    const probed = probesOf(packQuery(query, 7, DIM), 8).ids;
    const hit = [...probed]
      .reverse()
      .find((id) => segment.postingOffsets[id + 1]! > segment.postingOffsets[id]!)!;
    const postings = segment.postings.slice();
    postings[segment.postingOffsets[hit]!] = 0x7f;
    postings[segment.postingOffsets[hit + 1]! - 1] = 0xff;
    const damaged = { ...snapshot, segments: [{ ...segment, postings }, ...snapshot.segments.slice(1)] };
    await expect(search(query, 5, { exhaustiveTokens: 0 }, damaged)).rejects.toMatchObject({
      code: "CORRUPT",
      message: expect.stringContaining(segment.name),
    });
    expect(await search(query, 5, { exhaustiveTokens: 0 })).toEqual(before);
  });
});

describe("the hnsw router", () => {
  it("finds nearly the centroids that a scan finds, scored alike", () => {
    const router = new HnswRouter(snapshot.codec.codebook);
    let same = 0;
    for (let i = 0; i < 20; i++) {
      const query = packQuery(corpus.query(i * 7, 6), 6, DIM);
      const table = new Float32Array(snapshot.codec.codebook.size * query.lanes);
      kernels.centroidScores(query, snapshot.codec.codebook, table);
      const found = router.probe(query, table, 8);
      const exact = new ScanRouter(kernels, snapshot.codec.codebook).probe(query, table, 8);
      for (let q = 0; q < 6; q++) {
        const ids = found.ids.subarray(q * 8, q * 8 + 8);
        const wanted = new Set(exact.ids.subarray(q * 8, q * 8 + 8));
        same += ids.reduce((sum, id) => sum + Number(wanted.has(id)), 0);
        ids.forEach((id, n) => {
          expect(found.scores[q * 8 + n]).toBe(table[id * query.lanes + q]);
          if (n > 0) expect(found.scores[q * 8 + n]).toBeLessThanOrEqual(found.scores[q * 8 + n - 1]!);
        });
      }
    }
    expect(same / (20 * 6 * 8)).toBeGreaterThan(0.98);
  });

  it("serves a search", async () => {
    const query = packQuery(corpus.query(40, 6), 6, DIM);
    const parameters = searchParameters(5, { exhaustiveTokens: 0 });
    const router = new HnswRouter(snapshot.codec.codebook);
    const { ranked, plan } = await searchSnapshot(snapshot, query, 5, parameters, context(router));
    expect(plan).toBe("pruned");
    expect(ranked[0]!.documentNo).toBe(Math.floor(40 / 3));
  });
});

describe("the trace", () => {
  it("names every stage of the plan with what it saw and kept", async () => {
    const trace = new Trace();
    const query = packQuery(corpus.query(9, 5), 5, DIM);
    const parameters = searchParameters(5, { exhaustiveTokens: 0, approximate: 50, refine: 20 });
    await searchSnapshot(snapshot, query, 5, parameters, context(undefined, trace));
    expect(trace.stages.map(({ stage }) => stage)).toEqual([
      "centroids",
      "probe",
      "gather",
      "approximate",
      "exact",
      "rank",
    ]);
    const exact = trace.stages.find(({ stage }) => stage === "exact")!;
    expect(exact.seen).toBe(20);
    for (const { milliseconds } of trace.stages) expect(milliseconds).toBeGreaterThanOrEqual(0);
  });
});

describe("parameters", () => {
  it("never keep fewer passages than four for each hit wanted", () => {
    const { refine, approximate } = searchParameters(1000, {});
    expect(refine).toBe(4000);
    expect(approximate).toBe(16_000);
  });

  it.each([
    [{ nprobe: 0 }, "nprobe"],
    [{ refine: 1.5 }, "refine"],
    [{ approximate: -1 }, "approximate"],
    [{ effort: "slow" as never }, "effort"],
  ])("refuse %j", (tuning, name) => {
    expect(() => searchParameters(10, tuning)).toThrowError(
      expect.objectContaining({ code: "INVALID_ARGUMENT", message: expect.stringContaining(name) }),
    );
  });
});
