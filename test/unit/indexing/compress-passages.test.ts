import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { trainCodec } from "../../../src/codec/train.js";
import { compressPassages } from "../../../src/indexing/compress-passages.js";
import { noVectors, type PassageVectors } from "../../../src/indexing/passage-vectors.js";
import { quantizeVectors } from "../../../src/kernels/pack.js";
import { referenceBackend } from "../../../src/kernels/reference.js";
import { SyntheticCorpus } from "../../support/synthetic.js";

const DIM = 16;

describe("passages compressed together", () => {
  const corpus = new SyntheticCorpus({ passages: 20, tokens: 9, dim: DIM, vocabulary: 30 });
  const passages = corpus.passages.map(({ vectors, tokenIds }) => ({
    vectors: quantizeVectors(vectors, tokenIds.length, DIM),
    tokenIds,
  }));
  const rows = Float32Array.from(corpus.passages.flatMap(({ vectors }) => [...vectors]));
  const tokenIds = Uint32Array.from(passages.slice(0, 12).flatMap((passage) => [...passage.tokenIds]));
  const vectors = quantizeVectors(rows.slice(0, tokenIds.length * DIM), tokenIds.length, DIM);

  it.each([
    ["token-aware", tokenIds],
    ["flat", null],
  ])("are what each is alone, with ids, without, and empty (%s codec)", (_, ids) => {
    const codec = trainCodec(
      { vectors, tokenIds: ids, heldOut: 0, nbits: 2, seed: 1, budget: 40 },
      referenceBackend,
    );
    const passage = fc
      .tuple(fc.nat(passages.length - 1), fc.constantFrom("ids", "none", "empty"))
      .map(([i, kind]): PassageVectors => {
        if (kind === "empty") return noVectors(DIM);
        const { vectors, tokenIds } = passages[i]!;
        return { vectors, tokenIds: kind === "ids" ? tokenIds : null };
      });
    fc.assert(
      fc.property(fc.array(passage, { maxLength: 8 }), (batch) => {
        const alone = batch.map((one) => codec.encode(one.vectors, one.tokenIds, referenceBackend));
        expect(compressPassages(codec, batch, referenceBackend)).toEqual(alone);
      }),
      { numRuns: 40 },
    );
  });
});
