/** How well a codec represents token vectors that it was not trained on. */
import {
  type Codebook,
  DOCUMENT_BIAS,
  type KernelBackend,
  type QuantizedVectors,
  type ResidualQuantizer,
} from "../kernels/backend.js";
import type { Codec } from "./codec.js";
import { normalResiduals, trainQuantizer } from "./quantizer.js";

/** In the place of a vocabulary id: the vector has none. */
export const NO_TOKEN_ID = 0xffffffff;

/**
 * Squared norm of a residual as long as its unit vector, whose cosine with the centroid then is 1/2: the centroid helps no more
 * than none would. With a codec of the first documents, 11 % of the tokens of later arXiv abstracts and 4 % of those of later
 * scifact ones lie beyond; their error of reconstruction is two to three times the mean at 1, 2 and 4 bits.
 */
const USELESS_CENTROID = 1;
/**
 * In multiples of the mean squared norm that the quantizer was made for: beyond, components clip and the error of
 * reconstruction is two to four times the mean. The lower limit where vectors lie close to their centroids.
 */
const BEYOND_QUANTIZER = 2;

/** One entry a vector. */
export interface Coverage {
  /** u32 `[count]`: the codes that the codec gives. */
  readonly codes: Uint32Array;
  /** f64 `[count]`: squared norms of the residuals. */
  readonly energies: Float64Array;
  /** u8 `[count]`: 1 where the vector has an id and the codec has centroids for other ids only. */
  readonly unknown: Uint8Array;
  /** u8 `[count]`: 1 where the id is unknown or the energy above the limit. */
  readonly uncovered: Uint8Array;
}

/** Measures vectors against one codec. A vector's measures do not depend on what else it is measured with. */
export class CoverageMeter {
  /** Squared norm above which a residual counts as too long. */
  readonly limit: number;

  constructor(
    private readonly codec: Codec,
    private readonly kernels: KernelBackend,
  ) {
    const { quantizer, dim } = codec;
    this.limit = Math.min(USELESS_CENTROID, BEYOND_QUANTIZER * designEnergy(quantizer, dim));
  }

  /** `tokenIds`: null, or `NO_TOKEN_ID` for single vectors, where there are none. Errors: DIMENSION_MISMATCH. */
  measure(vectors: QuantizedVectors, tokenIds: Uint32Array | null): Coverage {
    const { count } = vectors;
    const { codebook, tokenGroups } = this.codec;
    const codes = this.codec.assign(vectors, tokenIds, this.kernels);
    const energies = residualEnergies(vectors, codes, codebook);
    const unknown = new Uint8Array(count);
    const uncovered = new Uint8Array(count);
    const known = tokenGroups.tokenIds;
    for (let i = 0; i < count; i++) {
      const tokenId = tokenIds === null || known.size === 0 ? NO_TOKEN_ID : tokenIds[i]!;
      unknown[i] = tokenId === NO_TOKEN_ID || known.has(tokenId) ? 0 : 1;
      uncovered[i] = unknown[i] === 1 || energies[i]! > this.limit ? 1 : 0;
    }
    return { codes, energies, unknown, uncovered };
  }
}

/**
 * Numbers of the vectors, ascending, that the codec represents badly: their vocabulary id has no centroids, or the residual
 * is too long (`CoverageMeter.limit`). Errors: DIMENSION_MISMATCH.
 */
export function uncoveredTokens(
  codec: Codec,
  vectors: QuantizedVectors,
  tokenIds: Uint32Array | null,
  kernels: KernelBackend,
): Uint32Array {
  const { uncovered } = new CoverageMeter(codec, kernels).measure(vectors, tokenIds);
  return Uint32Array.from(uncovered.keys()).filter((i) => uncovered[i] === 1);
}

/** |x - c|^2 = |x|^2 - 2 x.c + |c|^2, of exact integers scaled at the end. */
function residualEnergies(vectors: QuantizedVectors, codes: Uint32Array, codebook: Codebook): Float64Array {
  const { count, dim } = vectors;
  const energies = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const code = codes[i]!;
    let xx = 0;
    let xc = 0;
    let cc = 0;
    for (let at = i * dim, from = code * dim; at < (i + 1) * dim; at++, from++) {
      const x = vectors.values[at]!;
      const c = codebook.values[from]! - DOCUMENT_BIAS;
      xx += x * x;
      xc += x * c;
      cc += c * c;
    }
    const scale = vectors.scales[i]!;
    const centroidScale = codebook.scales[code]!;
    energies[i] = xx * scale ** 2 - 2 * xc * scale * centroidScale + cc * centroidScale ** 2;
  }
  return energies;
}

/**
 * The mean squared norm of the residuals that a quantizer was trained on, as its weights tell it: dim times the variance of
 * the normal distribution whose own quantizer has weights of the same mean square.
 */
export function designEnergy({ nbits, weights, weightScale }: ResidualQuantizer, dim: number): number {
  const { shares, meanSquare } = normalQuantizer(nbits);
  let sum = 0;
  for (let b = 0; b < weights.length; b++) {
    sum += shares[b]! * ((weights[b]! - DOCUMENT_BIAS) * weightScale) ** 2;
  }
  return (dim * sum) / meanSquare;
}

/** The quantizer of the standard normal distribution: probability of each bucket, mean square of the weights. */
interface NormalQuantizer {
  readonly shares: Float64Array;
  readonly meanSquare: number;
}

/** By nbits; made when first needed, 20 milliseconds each. */
const normalQuantizers = new Map<number, NormalQuantizer>();

function normalQuantizer(nbits: ResidualQuantizer["nbits"]): NormalQuantizer {
  const made = normalQuantizers.get(nbits);
  if (made !== undefined) return made;
  const normal = normalResiduals([1]);
  const { cutoffs, weights, weightScale } = trainQuantizer(normal, nbits);
  const shares = new Float64Array(weights.length);
  let bucket = 0;
  for (const component of normal) {
    while (bucket < cutoffs.length && cutoffs[bucket]! < component) bucket++;
    shares[bucket] = shares[bucket]! + 1 / normal.length;
  }
  let meanSquare = 0;
  for (let b = 0; b < shares.length; b++) {
    meanSquare += shares[b]! * ((weights[b]! - DOCUMENT_BIAS) * weightScale) ** 2;
  }
  const quantizer = { shares, meanSquare };
  normalQuantizers.set(nbits, quantizer);
  return quantizer;
}
