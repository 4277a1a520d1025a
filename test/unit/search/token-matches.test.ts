import { beforeAll, describe, expect, it, test } from "vitest";
import { packQuery } from "../../../src/kernels/pack.js";
import { referenceBackend } from "../../../src/kernels/reference.js";
import { selectKernels } from "../../../src/kernels/select.js";
import { searchParameters } from "../../../src/search/parameters.js";
import { ScanRouter } from "../../../src/search/router.js";
import { searchSnapshot } from "../../../src/search/search.js";
import { sumOfMaxima, TokenComparison } from "../../../src/search/token-matches.js";
import type { RankedDocument, SearchSnapshot } from "../../../src/search/types.js";
import { Workspace } from "../../../src/search/workspace.js";
import { DIM, memorySnapshot } from "../../support/built-segments.js";
import type { SyntheticCorpus } from "../../support/synthetic.js";

let corpus: SyntheticCorpus;
let snapshot: SearchSnapshot;
const workspace = new Workspace();
const native = selectKernels().backend;

beforeAll(() => {
  ({ corpus, snapshot } = memorySnapshot({ passages: 120, passagesPerDocument: 2 }));
});

function ranked(vectors: Float32Array, rescore = 0): readonly RankedDocument[] {
  const router = new ScanRouter(referenceBackend, snapshot.codec.codebook);
  const request = {
    packed: packQuery(vectors, vectors.length / DIM, DIM),
    vectors,
    k: 20,
    parameters: searchParameters(20, { rescore }),
  };
  return searchSnapshot(snapshot, [request], { kernels: referenceBackend, router, workspace })[0]!.ranked;
}

const comparedQuery = (vectors: Float32Array) => ({
  packed: packQuery(vectors, vectors.length / DIM, DIM),
  vectors,
});

describe.each([referenceBackend, native])("similarities by the $name kernels", (kernels) => {
  it.each([1, 5, 16, 33, 64])("of %i query tokens add up to the score, to the last bit", (tokens) => {
    const vectors = corpus.query(7, tokens);
    const comparison = new TokenComparison(snapshot, kernels);
    for (const { passageNo, score } of ranked(vectors)) {
      expect(sumOfMaxima(comparison.compare(comparedQuery(vectors), passageNo)!)).toBe(score);
    }
  });

  it("are those of the decoded vectors", () => {
    const vectors = corpus.query(3, 9);
    const comparison = new TokenComparison(snapshot, kernels);
    for (const { passageNo } of ranked(vectors)) {
      const packed = comparison.compare(comparedQuery(vectors), passageNo)!;
      const floats = comparison.compare(comparedQuery(vectors), passageNo, true)!;
      expect([packed.queryTokens, packed.passageTokens]).toEqual([9, 30]);
      packed.values.forEach((value, i) => {
        expect(Math.abs(value - floats.values[i]!)).toBeLessThan(0.01);
      });
    }
  });
});

test.each([1, 2] as const)("of %i bits a dimension", (nbits) => {
  const coarse = memorySnapshot({ passages: 30, nbits });
  const query = comparedQuery(coarse.corpus.query(2, 6));
  const comparison = new TokenComparison(coarse.snapshot, native);
  for (let passage = 0; passage < 30; passage++) {
    const floats = comparison.compare(query, passage, true)!;
    comparison.compare(query, passage)!.values.forEach((value, i) => {
      expect(Math.abs(value - floats.values[i]!)).toBeLessThan(0.01);
    });
  }
});

test("in float32 they add up to the score of a search that computes it so", () => {
  const vectors = corpus.query(11, 12);
  const comparison = new TokenComparison(snapshot, native);
  for (const { passageNo, score } of ranked(vectors, 20)) {
    const compared = comparison.compare(comparedQuery(vectors), passageNo, true)!;
    expect(Math.abs(sumOfMaxima(compared) - score)).toBeLessThan(1e-5);
  }
});

test("each query token chooses the most similar passage token, the first of equals", () => {
  const vectors = corpus.query(5, 8);
  const { values, choices, passageTokens } = new TokenComparison(snapshot, native).compare(
    comparedQuery(vectors),
    10,
  )!;
  for (const [q, choice] of choices.entries()) {
    const row = values.subarray(q * passageTokens, (q + 1) * passageTokens);
    expect(choice).toBe(row.indexOf(Math.max(...row)));
  }
  const zeros = new Float32Array(2 * DIM);
  const same = new TokenComparison(snapshot, native).compare(comparedQuery(zeros), 10)!;
  expect([...same.choices]).toEqual([0, 0]);
});

test("a passage that the snapshot does not have is undefined", () => {
  const comparison = new TokenComparison(snapshot, native);
  expect(comparison.compare(comparedQuery(corpus.query(0, 4)), 9_999)).toBeUndefined();
});
