import { expect, it } from "vitest";
import { inGeneration } from "../../../src/indexing/segment.js";
import { packQuery } from "../../../src/kernels/pack.js";
import { referenceBackend as kernels } from "../../../src/kernels/reference.js";
import { scoreDocuments } from "../../../src/search/document-scores.js";
import { searchParameters } from "../../../src/search/parameters.js";
import { ScanRouter } from "../../../src/search/router.js";
import { searchSnapshot } from "../../../src/search/search.js";
import type { SearchSnapshot } from "../../../src/search/types.js";
import { Workspace } from "../../../src/search/workspace.js";
import { DIM, memorySnapshot } from "../../support/built-segments.js";

/** Passages of document n: 3n, 3n + 1, 3n + 2. Documents 5 and 6 are deleted. */
const DOCUMENTS = 60;
const made = memorySnapshot({ passages: 3 * DOCUMENTS, passagesPerDocument: 3, tokens: 10, segments: 3 });
const { codec } = made.snapshot;
const segments = made.snapshot.segments.map((segment) => inGeneration(segment, codec, [[15, 6]]));
const snapshot: SearchSnapshot = { codec, segments, tokens: 10 * 3 * (DOCUMENTS - 2) };
const workspace = new Workspace();

it("are those of an exhaustive search, for any documents in any order", () => {
  for (const p of [0, 40, 100, 179]) {
    const vectors = made.corpus.query(p, 8);
    const packed = packQuery(vectors, 8, DIM);
    const request = { packed, vectors, k: DOCUMENTS, parameters: searchParameters(10, { effort: "exact" }) };
    const router = new ScanRouter(kernels, codec.codebook);
    const [outcome] = searchSnapshot(snapshot, [request], { kernels, router, workspace });
    const expected = new Map(outcome!.ranked.map(({ documentNo, score }) => [documentNo, score]));
    expect(expected.size).toBe(DOCUMENTS - 2);
    const all = Array.from({ length: DOCUMENTS }, (_, i) => (i * 7) % DOCUMENTS);
    const scores = scoreDocuments(snapshot, packed, all, kernels, workspace);
    expect([...scores]).toEqual(all.map((no) => expected.get(no) ?? Number.NaN));
    const few = [59, 5, 3, 3, 1_000];
    expect([...scoreDocuments(snapshot, packed, few, kernels, workspace)]).toEqual(
      few.map((no) => expected.get(no) ?? Number.NaN),
    );
  }
});

it("are none for no documents", () => {
  const packed = packQuery(made.corpus.query(0, 8), 8, DIM);
  expect(scoreDocuments(snapshot, packed, [], kernels, workspace)).toHaveLength(0);
});
