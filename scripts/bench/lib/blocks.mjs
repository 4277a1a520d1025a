// Corpora are read in blocks of consecutive passages, so that memory stays bounded.

/** Token vectors of a block, unless a single passage has more: 4 MB of float32 at dimension 128. */
const BLOCK_TOKENS = 8192;

/**
 * Cuts passages into blocks of at most BLOCK_TOKENS.
 *
 * @param {Uint32Array} lengths token vectors of each passage
 * @returns {Generator<{first: number, end: number, from: number, to: number}>} passages and token vectors, ends excluded
 */
export function* blockRanges(lengths) {
  let first = 0;
  let from = 0;
  while (first < lengths.length) {
    let end = first;
    let to = from;
    while (end < lengths.length && (end === first || to - from + lengths[end] <= BLOCK_TOKENS)) {
      to += lengths[end++];
    }
    yield { first, end, from, to };
    first = end;
    from = to;
  }
}

/**
 * Passages one by one; the arrays are views of a block and valid until the next passage is asked for.
 *
 * @param {import("./corpus.mjs").Corpus} corpus
 * @returns {Generator<{passage: number, vectors: Float32Array, tokenIds: Uint32Array}>}
 */
export function* passagesOf(corpus) {
  const { dim } = corpus;
  for (const { first, lengths, tokenIds, vectors } of corpus.blocks()) {
    let at = 0;
    for (const [i, length] of lengths.entries()) {
      yield {
        passage: first + i,
        vectors: vectors.subarray(at * dim, (at + length) * dim),
        tokenIds: tokenIds.subarray(at, at + length),
      };
      at += length;
    }
  }
}
