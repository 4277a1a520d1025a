/** Compression of the passages of a batch in one go: kernels and cell lookups cost less for many vectors at once. */
import type { Codec } from "../codec/codec.js";
import type { CompressedTokens, KernelBackend, QuantizedVectors } from "../kernels/backend.js";
import type { PassageVectors } from "./passage-vectors.js";

/** The compressed tokens of each passage, the same bytes as `codec.encode` gives for each alone. */
export function compressPassages(
  codec: Codec,
  passages: readonly PassageVectors[],
  kernels: KernelBackend,
): CompressedTokens[] {
  const compressed = new Map<PassageVectors, CompressedTokens>();
  for (const { joined, tokenIds, alike } of joinAlike(passages, codec.dim)) {
    const all = codec.encode(joined, tokenIds, kernels);
    let from = 0;
    for (const passage of alike) {
      const to = from + passage.vectors.count;
      compressed.set(passage, tokensOf(all, from, to, codec.residualBytes));
      from = to;
    }
  }
  return passages.map((passage) => compressed.get(passage)!);
}

/** Passages whose vectors have vocabulary ids, and those whose have none, each with the vectors one after the other. */
export function joinAlike(
  passages: readonly PassageVectors[],
  dim: number,
): Array<{ alike: PassageVectors[]; joined: QuantizedVectors; tokenIds: Uint32Array | null }> {
  return [true, false].map((withIds) => {
    const alike = passages.filter(({ tokenIds }) => (tokenIds !== null) === withIds);
    return { alike, joined: joinVectors(alike, dim), tokenIds: withIds ? joinIds(alike) : null };
  });
}

function joinVectors(passages: readonly PassageVectors[], dim: number): QuantizedVectors {
  const count = passages.reduce((sum, { vectors }) => sum + vectors.count, 0);
  const joined = { count, dim, values: new Int8Array(count * dim), scales: new Float32Array(count) };
  let at = 0;
  for (const { vectors } of passages) {
    joined.values.set(vectors.values, at * dim);
    joined.scales.set(vectors.scales, at);
    at += vectors.count;
  }
  return joined;
}

function joinIds(passages: readonly PassageVectors[]): Uint32Array {
  const joined = new Uint32Array(passages.reduce((sum, { vectors }) => sum + vectors.count, 0));
  let at = 0;
  for (const { tokenIds, vectors } of passages) {
    if (tokenIds !== null) joined.set(tokenIds, at);
    at += vectors.count;
  }
  return joined;
}

function tokensOf(
  { codes, residuals, inverseNorms }: CompressedTokens,
  from: number,
  to: number,
  residualBytes: number,
): CompressedTokens {
  return {
    codes: codes.subarray(from, to),
    residuals: residuals.subarray(from * residualBytes, to * residualBytes),
    inverseNorms: inverseNorms.subarray(from, to),
  };
}
