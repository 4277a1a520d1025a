/** Search segments made in memory, for tests of search alone. */
import type { Codec } from "../../src/codec/codec.js";
import { buildPostings } from "../../src/codec/postings.js";
import { trainCodec } from "../../src/codec/train.js";
import { type Segment, segmentInMemory } from "../../src/indexing/segment.js";
import { quantizeVectors } from "../../src/kernels/pack.js";
import { referenceBackend } from "../../src/kernels/reference.js";
import type { SearchSnapshot } from "../../src/search/types.js";
import { SyntheticCorpus, type SyntheticPassage } from "./synthetic.js";

export const DIM = 32;

/** `passagesPerDocument` passages belong to each document. */
export function memorySegment(
  codec: Codec,
  passages: readonly SyntheticPassage[],
  firstPassage: number,
  passagesPerDocument: number,
): Segment {
  const lengths = Uint32Array.from(passages, (passage) => passage.tokenIds.length);
  const rows = Float32Array.from(passages.flatMap((passage) => [...passage.vectors]));
  const tokenIds = Uint32Array.from(passages.flatMap((passage) => [...passage.tokenIds]));
  const compressed = codec.encode(quantizeVectors(rows, tokenIds.length, DIM), tokenIds, referenceBackend);
  const postings = buildPostings(compressed.codes, lengths, codec.codebook.size);
  const offsets = new Uint32Array(lengths.length + 1);
  lengths.forEach((length, p) => {
    offsets[p + 1] = offsets[p]! + length;
  });
  return segmentInMemory({
    name: `segment at ${firstPassage}`,
    passages: passages.length,
    tokens: tokenIds.length,
    numbers: Uint32Array.from(passages, (_, p) => firstPassage + p),
    centroids: codec.codebook.size,
    offsets,
    documents: Uint32Array.from(passages, (_, p) => Math.floor((firstPassage + p) / passagesPerDocument)),
    compressed,
    postingOffsets: postings.offsets,
    postings: postings.bytes,
    dead: null,
    live: null,
  });
}

export function memorySnapshot(options: {
  passages: number;
  tokens?: number;
  passagesPerDocument?: number;
  segments?: number;
  nbits?: 1 | 2 | 4;
}): { corpus: SyntheticCorpus; snapshot: SearchSnapshot } {
  const { passages, tokens = 30, passagesPerDocument = 1, segments: parts = 2, nbits = 4 } = options;
  const corpus = new SyntheticCorpus({ passages, tokens, dim: DIM });
  const rows = Float32Array.from(corpus.passages.flatMap((passage) => [...passage.vectors]));
  const tokenIds = Uint32Array.from(corpus.passages.flatMap((passage) => [...passage.tokenIds]));
  const codec = trainCodec(
    {
      vectors: quantizeVectors(rows, tokenIds.length, DIM),
      tokenIds,
      heldOut: 0,
      nbits,
      seed: 1,
      budget: 512,
    },
    referenceBackend,
  );
  const each = Math.ceil(passages / parts / passagesPerDocument) * passagesPerDocument;
  const segments: Segment[] = [];
  for (let first = 0; first < passages; first += each) {
    segments.push(
      memorySegment(codec, corpus.passages.slice(first, first + each), first, passagesPerDocument),
    );
  }
  return {
    corpus,
    snapshot: {
      codec,
      segments,
      tokens: passages * tokens,
    },
  };
}
