/** MaxSim from its definition, in float64: decode every token to a vector, normalize, take dot products. */
import { fromFloat16 } from "../../../src/common/float16.js";
import type { KernelCase } from "./cases.js";

/** Scores of all passages of a case. */
export function exactScores(input: KernelCase): number[] {
  const { query, offsets } = input;
  const queryVectors = Array.from({ length: query.tokens }, (_, token) => queryVector(input, token));
  return Array.from({ length: offsets.length - 1 }, (_, passage) => {
    const vectors: number[][] = [];
    for (let t = offsets[passage]!; t < offsets[passage + 1]!; t++) vectors.push(tokenVector(input, t));
    return queryVectors.reduce(
      (sum, q) => sum + vectors.reduce((best, v) => Math.max(best, dot(q, v)), Number.NEGATIVE_INFINITY),
      0,
    );
  });
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, x, d) => sum + x * b[d]!, 0);
}

function queryVector({ query }: KernelCase, token: number): number[] {
  return Array.from(
    { length: query.dim },
    (_, d) => query.values[Math.floor(d / 4) * query.lanes * 4 + token * 4 + (d % 4)]! * query.scales[token]!,
  );
}

/** (centroid + decoded residual) * stored inverse norm. */
function tokenVector({ codebook, quantizer, tokens, query }: KernelCase, token: number): number[] {
  const { dim } = query;
  const { nbits } = quantizer;
  const bytes = (dim * nbits) / 8;
  const code = tokens.codes[token]!;
  const inverseNorm = fromFloat16(tokens.inverseNorms[token]!);
  return Array.from({ length: dim }, (_, d) => {
    const byte = tokens.residuals[token * bytes + (d % bytes)]!;
    const bucket = (byte >> (Math.floor(d / bytes) * nbits)) & (2 ** nbits - 1);
    const weight = (quantizer.weights[bucket]! - 64) * quantizer.weightScale;
    return ((codebook.values[code * dim + d]! - 64) * codebook.scales[code]! + weight) * inverseNorm;
  });
}
