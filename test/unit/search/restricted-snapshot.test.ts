import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { DocumentSet } from "../../../src/documents/document-set.js";
import { inGeneration } from "../../../src/indexing/segment.js";
import { packQuery } from "../../../src/kernels/pack.js";
import { referenceBackend as kernels } from "../../../src/kernels/reference.js";
import { type SearchTuning, searchParameters } from "../../../src/search/parameters.js";
import {
  attachPart,
  describePart,
  partBytes,
  restrictSnapshot,
} from "../../../src/search/restricted-snapshot.js";
import { ScanRouter } from "../../../src/search/router.js";
import { searchSnapshot } from "../../../src/search/search.js";
import { searchableDocuments } from "../../../src/search/searchable.js";
import type { SearchOutcome, SearchSnapshot } from "../../../src/search/types.js";
import { Workspace } from "../../../src/search/workspace.js";
import { DIM, memorySegment, memorySnapshot } from "../../support/built-segments.js";
import type { SyntheticCorpus } from "../../support/synthetic.js";

/** Passages of document n: 3n, 3n + 1, 3n + 2. Documents 5, 6 and 50 are deleted. */
const DOCUMENTS = 80;
const DELETED = [5, 6, 50];
const workspace = new Workspace();
let corpus: SyntheticCorpus;
let snapshot: SearchSnapshot;

beforeAll(() => {
  const made = memorySnapshot({ passages: 3 * DOCUMENTS, passagesPerDocument: 3, tokens: 12, segments: 4 });
  ({ corpus } = made);
  const ranges = DELETED.map((no) => [3 * no, 3] as const);
  const { codec } = made.snapshot;
  const segments = made.snapshot.segments.map((segment) => inGeneration(segment, codec, ranges));
  snapshot = { codec, segments, tokens: 12 * 3 * (DOCUMENTS - DELETED.length) };
});

function search(from: SearchSnapshot, query: Float32Array, k: number, tuning: SearchTuning): SearchOutcome {
  const packed = packQuery(query, query.length / DIM, DIM);
  const request = { packed, vectors: query, k, parameters: searchParameters(k, tuning) };
  const router = new ScanRouter(kernels, from.codec.codebook);
  return searchSnapshot(from, [request], { kernels, router, workspace })[0]!;
}

/** A snapshot that was made of nothing but the passages of these documents, with the same codec. */
function indexOf(documents: readonly number[]): SearchSnapshot {
  const passages = documents.flatMap((no) => [3 * no, 3 * no + 1, 3 * no + 2]);
  const segment = {
    ...memorySegment(
      snapshot.codec,
      passages.map((p) => corpus.passages[p]!),
      0,
      3,
    ),
    numbers: Uint32Array.from(passages),
    documents: Uint32Array.from(passages, (p) => Math.floor(p / 3)),
  };
  return { codec: snapshot.codec, segments: [segment], tokens: segment.tokens };
}

const subset = fc.uniqueArray(fc.nat(DOCUMENTS + 10), { maxLength: 60 });
const alive = (documents: readonly number[]): number[] =>
  documents.filter((no) => no < DOCUMENTS && !DELETED.includes(no)).sort((a, b) => a - b);
const k = fc.integer({ min: 1, max: 40 });
const passage = fc.nat(3 * DOCUMENTS - 1);

describe("a search of a part", () => {
  it("finds what is left of an unlimited search afterwards, where everything is scored", () => {
    fc.assert(
      fc.property(subset, k, passage, (documents, wanted, p) => {
        const query = corpus.query(p, 6);
        const part = restrictSnapshot(snapshot, DocumentSet.of(documents));
        const all = search(snapshot, query, 2 * DOCUMENTS, { effort: "exact" }).ranked;
        const meant = new Set(alive(documents));
        const expected = all.filter(({ documentNo }) => meant.has(documentNo)).slice(0, wanted);
        expect(expected).toHaveLength(Math.min(wanted, meant.size));
        expect(search(part, query, wanted, { effort: "exact" }).ranked).toEqual(expected);
        expect(part.tokens).toBe(36 * meant.size);
        expect(searchableDocuments(part)).toBe(meant.size);
      }),
      { numRuns: 60 },
    );
  });

  it("finds what an index of nothing else finds, candidates and all", () => {
    fc.assert(
      fc.property(subset, k, passage, fc.integer({ min: 1, max: 6 }), (documents, wanted, p, nprobe) => {
        const query = corpus.query(p, 6);
        const tuning = { exhaustiveTokens: 0, nprobe, approximate: 30, refine: 20, margin: 2 };
        const part = restrictSnapshot(snapshot, DocumentSet.of(documents));
        const found = search(part, query, wanted, tuning);
        const { ranked, plan, reason } = search(indexOf(alive(documents)), query, wanted, tuning);
        expect(found).toMatchObject({ ranked, plan, reason });
        expect(ranked).toHaveLength(Math.min(wanted, alive(documents).length));
      }),
      { numRuns: 60 },
    );
  });

  it("probes more centroids where little is left, unless the caller says how many", () => {
    const probed = (documents: number, tuning: SearchTuning): number => {
      const numbers = Array.from({ length: documents }, (_, i) => i);
      const { stages } = search(restrictSnapshot(snapshot, DocumentSet.of(numbers)), corpus.query(1, 1), 1, {
        exhaustiveTokens: 0,
        ...tuning,
      });
      return stages.find(({ stage }) => stage === "probe")!.kept;
    };
    expect([10, 40, DOCUMENTS].map((documents) => probed(documents, {}))).toEqual([16, 8, 8]);
    expect([10, 40].map((documents) => probed(documents, { effort: "fast" }))).toEqual([8, 4]);
    expect([10, 40].map((documents) => probed(documents, { nprobe: 5 }))).toEqual([5, 5]);
  });

  it("is a search of the generation itself where all of it is meant", () => {
    const all = Array.from({ length: DOCUMENTS }, (_, no) => no);
    expect(restrictSnapshot(snapshot, DocumentSet.of(all))).toBe(snapshot);
    expect(partBytes(snapshot)).toBe(0);
    expect(describePart(snapshot)).toBeNull();
  });

  it("goes to another thread without the generation", () => {
    fc.assert(
      fc.property(subset, (documents) => {
        const part = restrictSnapshot(snapshot, DocumentSet.of(documents));
        const description = describePart(part);
        if (description === null) return;
        // Structured cloning keeps shared memory shared, and a second copy of it is what the test can compare.
        const attached = attachPart(snapshot, structuredClone(description));
        expect(attached.tokens).toBe(part.tokens);
        expect(attached.segments.map(({ live }) => live)).toEqual(part.segments.map(({ live }) => live));
        expect(attached.segments.map(({ dead }) => dead)).toEqual(part.segments.map(({ dead }) => dead));
        expect(attached.partOf?.base).toBe(snapshot);
        for (const { dead, live } of part.segments) {
          if (dead === null || live === null) continue;
          expect(dead.buffer).toBeInstanceOf(SharedArrayBuffer);
          expect(live.buffer).toBeInstanceOf(SharedArrayBuffer);
        }
      }),
      { numRuns: 30 },
    );
  });
});
