import { beforeAll, describe, expect, it } from "vitest";
import { readPostings } from "../../../src/codec/postings.js";
import { inGeneration } from "../../../src/indexing/segment.js";
import type { PackedQuery, Probes } from "../../../src/kernels/backend.js";
import { packQuery } from "../../../src/kernels/pack.js";
import { referenceBackend as kernels } from "../../../src/kernels/reference.js";
import { gatherCandidates } from "../../../src/search/candidates.js";
import { type SearchTuning, searchParameters } from "../../../src/search/parameters.js";
import { type Router, ScanRouter } from "../../../src/search/router.js";
import { searchSnapshot } from "../../../src/search/search.js";
import type { SearchOutcome, SearchRequest, SearchSnapshot } from "../../../src/search/types.js";
import { Workspace } from "../../../src/search/workspace.js";
import { DIM, memorySnapshot } from "../../support/built-segments.js";
import { exactMaxSim, type SyntheticCorpus } from "../../support/synthetic.js";

let corpus: SyntheticCorpus;
let snapshot: SearchSnapshot;
const workspace = new Workspace();

beforeAll(() => {
  ({ corpus, snapshot } = memorySnapshot({ passages: 240, passagesPerDocument: 3 }));
});

const request = (vectors: Float32Array, k: number, tuning: SearchTuning): SearchRequest => ({
  packed: packQuery(vectors, vectors.length / DIM, DIM),
  vectors,
  k,
  parameters: searchParameters(k, tuning),
});

function search(
  query: Float32Array,
  k: number,
  tuning: SearchTuning,
  from = snapshot,
  router: Router = new ScanRouter(kernels, from.codec.codebook),
): SearchOutcome {
  return searchSnapshot(from, [request(query, k, tuning)], { kernels, router, workspace })[0]!;
}

function probesOf(query: PackedQuery, nprobe: number): Probes {
  const { codebook } = snapshot.codec;
  const table = new Float32Array(codebook.size * query.lanes);
  kernels.centroidScores(query, codebook, table, null);
  const ids = new Uint32Array(query.tokens * nprobe);
  const scores = new Float32Array(query.tokens * nprobe);
  kernels.topCentroids(table, codebook.size, query, nprobe, ids, scores);
  return { nprobe, ids, scores };
}

/** Best documents by float64 MaxSim over the decoded vectors. */
function exhaustiveRanking(query: Float32Array): Array<[document: number, score: number]> {
  const best = new Map<number, number>();
  for (const segment of snapshot.segments) {
    const decoded = snapshot.codec.decode(segment.compressed);
    for (let p = 0; p < segment.passages; p++) {
      const rows = decoded.subarray(segment.offsets[p]! * DIM, segment.offsets[p + 1]! * DIM);
      const document = segment.documents[p]!;
      const score = exactMaxSim(query, rows, DIM);
      best.set(document, Math.max(best.get(document) ?? Number.NEGATIVE_INFINITY, score));
    }
  }
  return [...best].sort((a, b) => b[1] - a[1]);
}

describe("exhaustive search", () => {
  it("agrees with float64 MaxSim over the decoded vectors", () => {
    const query = corpus.query(17, 8);
    const { ranked, plan } = search(query, 5, { effort: "exact" });
    expect(plan).toBe("exhaustive");
    const expected = exhaustiveRanking(query).slice(0, 5);
    expect(ranked.map(({ documentNo }) => documentNo)).toEqual(expected.map(([document]) => document));
    ranked.forEach(({ score, passageNo, documentNo }, i) => {
      expect(Math.abs(score - expected[i]![1])).toBeLessThan(0.05);
      expect(Math.floor(passageNo / 3)).toBe(documentNo);
    });
  });

  it("gives float scores to as many documents as asked", () => {
    const query = corpus.query(33, 8);
    const { ranked } = search(query, 6, { effort: "exact", rescore: 20 });
    const expected = exhaustiveRanking(query).slice(0, 6);
    expect(ranked.map(({ documentNo }) => documentNo)).toEqual(expected.map(([document]) => document));
    ranked.forEach(({ score }, i) => {
      expect(score).toBeCloseTo(expected[i]![1], 5);
    });
  });
});

describe("pruned search", () => {
  const pruned = { exhaustiveTokens: 0 };

  it("with nothing pruned equals exhaustive search", () => {
    const query = corpus.query(40, 6);
    const everything = { ...pruned, nprobe: 100_000, approximate: 1000, refine: 1000, margin: 100 };
    const found = search(query, 20, everything);
    const exact = search(query, 20, { effort: "exact" });
    expect(found.plan).toBe("pruned");
    expect(found.ranked).toEqual(exact.ranked);
  });

  it("finds the passage that a query was made from", () => {
    for (const passage of [3, 77, 150, 239]) {
      const { ranked } = search(corpus.query(passage, 10), 3, { ...pruned, nprobe: 4 });
      expect(ranked.map(({ documentNo }) => documentNo)).toContain(Math.floor(passage / 3));
    }
  });

  it("stops refining when nothing better comes, and says how many it scored", () => {
    const query = corpus.query(40, 10);
    const tuning = { ...pruned, nprobe: 32, refine: 240, approximate: 240 };
    const all = search(query, 3, { ...tuning, margin: 100 });
    const early = search(query, 3, { ...tuning, margin: 1 });
    const scored = ({ stages }: SearchOutcome) => stages.find(({ stage }) => stage === "exact")!;
    expect(scored(all).kept).toBe(scored(all).seen);
    expect(scored(early).kept).toBeLessThan(scored(all).kept);
    expect(early.ranked[0]).toEqual(all.ranked[0]);
  });

  it("answers queries of a batch as it answers each alone", () => {
    const queries = [4, 50, 121].map((passage, i) => corpus.query(passage, 5 + 8 * i));
    for (const tuning of [pruned, { effort: "exact" as const }]) {
      const requests = queries.map((query) => request(query, 7, tuning));
      const router = new ScanRouter(kernels, snapshot.codec.codebook);
      const together = searchSnapshot(snapshot, requests, { kernels, router, workspace });
      const alone = queries.map((query) => search(query, 7, tuning));
      expect(together.map(({ ranked }) => ranked)).toEqual(alone.map(({ ranked }) => ranked));
    }
  });

  it("falls back to exhaustive when the candidates are too few", () => {
    const { ranked, plan, reason } = search(corpus.query(5, 1), 80, { ...pruned, nprobe: 1 });
    expect(plan).toBe("exhaustive");
    expect(reason).toMatch(/reached \d+ of 80/);
    expect(ranked).toHaveLength(80);
  });

  it("never returns deleted passages and still fills k", () => {
    // Document n has the passages 3n, 3n + 1 and 3n + 2; the even ones are deleted.
    const even = Array.from({ length: 40 }, (_, i) => [i * 6, 3] as const);
    const halved: SearchSnapshot = {
      ...snapshot,
      segments: snapshot.segments.map((segment) => inGeneration(segment, snapshot.codec, even)),
    };
    for (const tuning of [pruned, { effort: "exact" as const }]) {
      const { ranked } = search(corpus.query(12, 8), 60, tuning, halved);
      expect(ranked).toHaveLength(40);
      expect(ranked.every(({ documentNo }) => documentNo % 2 === 1)).toBe(true);
    }
  });
});

describe("gathering candidates", () => {
  it("keeps the best of all segments by the definition with imputed similarities", () => {
    const query = packQuery(corpus.query(60, 7), 7, DIM);
    const probes = probesOf(query, 5);
    const similarity = Array.from({ length: 7 }, () => new Map<number, number>());
    for (const segment of snapshot.segments) {
      const list = new Uint32Array(segment.passages);
      probes.ids.forEach((c, n) => {
        const from = segment.postingOffsets[c]!;
        const to = segment.postingOffsets[c + 1]!;
        const count = readPostings(segment.postings, from, to, segment.passages, list, "test");
        const best = similarity[Math.floor(n / 5)]!;
        for (const p of list.subarray(0, count)) {
          const passageNo = segment.numbers[p]!;
          best.set(passageNo, Math.max(best.get(passageNo) ?? Number.NEGATIVE_INFINITY, probes.scores[n]!));
        }
      });
    }
    const touched = new Set(similarity.flatMap((map) => [...map.keys()]));
    const total = (p: number): number =>
      similarity.reduce(
        (sum, map, q) => sum + query.scales[q]! * (map.get(p) ?? probes.scores[q * 5 + 4]!),
        0,
      );
    const cut = [...touched].map(total).sort((a, b) => b - a)[9]!;
    const { parts, reached, kept } = gatherCandidates(snapshot, query, probes, 10, kernels, workspace);
    expect(reached).toBe(touched.size);
    expect(kept).toBe(10);
    const found = parts.flatMap(({ segment, passages }) => Array.from(passages!, (p) => segment.numbers[p]!));
    expect(new Set(found).size).toBe(10);
    for (const p of found) expect(total(p)).toBeGreaterThanOrEqual(cut - 1e-4);
  });
});

describe("a damaged posting list", () => {
  it("fails the search that meets it, by name, and no later one", () => {
    const query = corpus.query(60, 7);
    const before = search(query, 5, { exhaustiveTokens: 0 });
    const segment = snapshot.segments[0]!;
    const probed = probesOf(packQuery(query, 7, DIM), 8).ids;
    const hit = [...probed]
      .reverse()
      .find((id) => segment.postingOffsets[id + 1]! > segment.postingOffsets[id]!)!;
    const postings = segment.postings.slice();
    postings[segment.postingOffsets[hit]!] = 0x7f;
    postings[segment.postingOffsets[hit + 1]! - 1] = 0xff;
    const damaged = { ...snapshot, segments: [{ ...segment, postings }, ...snapshot.segments.slice(1)] };
    expect(() => search(query, 5, { exhaustiveTokens: 0 }, damaged)).toThrowError(
      expect.objectContaining({ code: "CORRUPT", message: expect.stringContaining(segment.name) }),
    );
    const { ranked } = search(query, 5, { exhaustiveTokens: 0 });
    expect(ranked).toEqual(before.ranked);
  });
});

describe("the stages", () => {
  it("are named in order with what each saw and kept", () => {
    const tuning = { exhaustiveTokens: 0, approximate: 50, refine: 20 };
    const { stages } = search(corpus.query(9, 5), 5, tuning);
    expect(stages.map(({ stage }) => stage)).toEqual([
      "centroids",
      "probe",
      "gather",
      "approximate",
      "exact",
      "rank",
    ]);
    expect(stages.find(({ stage }) => stage === "gather")!.kept).toBe(50);
    expect(stages.find(({ stage }) => stage === "exact")!.seen).toBe(20);
    for (const { milliseconds } of stages) expect(milliseconds).toBeGreaterThanOrEqual(0);
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
    [{ margin: -0.5 }, "margin"],
    [{ margin: Number.NaN }, "margin"],
    [{ effort: "slow" as never }, "effort"],
  ])("refuse %j", (tuning, name) => {
    expect(() => searchParameters(10, tuning)).toThrowError(
      expect.objectContaining({ code: "INVALID_ARGUMENT", message: expect.stringContaining(name) }),
    );
  });
});
