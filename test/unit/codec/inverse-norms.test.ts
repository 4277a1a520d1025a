import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codecPrefix } from "../../../src/codec/codec-prefix.js";
import { inverseNorms } from "../../../src/codec/inverse-norms.js";
import { trainCodec } from "../../../src/codec/train.js";
import { quantizeVectors } from "../../../src/kernels/pack.js";
import { selectKernels } from "../../../src/kernels/select.js";
import { SyntheticCorpus } from "../../support/synthetic.js";

describe("inverse norms computed again", () => {
  it("are bit for bit those that were stored, of every backend, dimension and number of bits", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(8, 16, 24, 64, 128),
        fc.constantFrom(1 as const, 2 as const, 4 as const),
        fc.integer({ min: 1, max: 1000 }),
        (dim, nbits, seed) => {
          const corpus = new SyntheticCorpus({ passages: 6, tokens: 12, dim, vocabulary: 20, seed });
          const rows = Float32Array.from(corpus.passages.flatMap(({ vectors }) => [...vectors]));
          const tokenIds = Uint32Array.from(corpus.passages.flatMap((passage) => [...passage.tokenIds]));
          const vectors = quantizeVectors(rows, tokenIds.length, dim);
          const { backend } = selectKernels();
          const codec = trainCodec({ vectors, tokenIds, heldOut: 0, nbits, seed, budget: 30 }, backend);
          const encoded = codec.encode(vectors, tokenIds, backend);
          expect(inverseNorms(codec, encoded.codes, encoded.residuals)).toEqual(encoded.inverseNorms);
          // A prefix of the codec that has all the codes decodes to the same.
          const highest = Math.max(...encoded.codes) + 1;
          const prefix = codecPrefix(codec, highest);
          expect(prefix.codebook.size).toBe(highest);
          expect(prefix.decode(encoded)).toEqual(codec.decode(encoded));
        },
      ),
      { numRuns: 30 },
    );
  });
});
