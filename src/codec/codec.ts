/**
 * The codec: everything that is needed to encode token vectors into codes and residuals and back.
 * Immutable; one index generation names one codec.
 */
import { MaxsimError } from "../common/errors.js";
import { fromFloat16 } from "../common/float16.js";
import type {
  Codebook,
  CompressedTokens,
  KernelBackend,
  QuantizedVectors,
  ResidualQuantizer,
} from "../kernels/backend.js";
import type { SectionFile } from "../storage/section-file.js";
import { CodeAssigner } from "./assigner.js";
import type { TokenGroups } from "./token-groups.js";

export class Codec {
  readonly codebook: Codebook;
  readonly quantizer: ResidualQuantizer;
  readonly tokenGroups: TokenGroups;
  /** The file that the arrays lie in; null for a codec that was just trained. */
  readonly file: SectionFile | null;
  private readonly assigner: CodeAssigner;

  constructor(
    codebook: Codebook,
    quantizer: ResidualQuantizer,
    tokenGroups: TokenGroups,
    file: SectionFile | null = null,
  ) {
    this.codebook = codebook;
    this.quantizer = quantizer;
    this.tokenGroups = tokenGroups;
    this.file = file;
    this.assigner = new CodeAssigner(codebook, tokenGroups);
  }

  get dim(): number {
    return this.codebook.dim;
  }

  /** Bytes of one token's packed residual. */
  get residualBytes(): number {
    return (this.dim * this.quantizer.nbits) / 8;
  }

  /** 2 while every code fits 16 bits, else 4. */
  get codeBytes(): 2 | 4 {
    return this.codebook.size <= 0x10000 ? 2 : 4;
  }

  newCodes(count: number): Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer> {
    return this.codeBytes === 2 ? new Uint16Array(count) : new Uint32Array(count);
  }

  /** The code of each vector, u32 `[count]`, as `CodeAssigner` chooses it. Errors: DIMENSION_MISMATCH. */
  assign(vectors: QuantizedVectors, tokenIds: Uint32Array | null, kernels: KernelBackend): Uint32Array {
    if (vectors.dim !== this.dim) {
      throw new MaxsimError(
        "DIMENSION_MISMATCH",
        `vectors of dimension ${vectors.dim}, the codec has ${this.dim}`,
      );
    }
    return this.assigner.assign(vectors, tokenIds, kernels);
  }

  /**
   * Compresses token vectors; `CodeAssigner` chooses their codes. `tokenIds` null: vectors without known vocabulary ids.
   * Thousands of vectors at once cost less than a few at a time, and get the same bytes.
   */
  encode(vectors: QuantizedVectors, tokenIds: Uint32Array | null, kernels: KernelBackend): CompressedTokens {
    const assigned = this.assign(vectors, tokenIds, kernels);
    const residuals = new Uint8Array(vectors.count * this.residualBytes);
    const inverseNorms = new Uint16Array(vectors.count);
    if (vectors.count > 0) {
      kernels.compress(vectors, this.codebook, this.quantizer, assigned, residuals, inverseNorms);
    }
    const codes = this.newCodes(vectors.count);
    codes.set(assigned);
    return { codes, residuals, inverseNorms };
  }

  /** Token vectors as they are scored: (centroid + residual) * inverse norm, f32 `[count][dim]`. */
  decode(tokens: CompressedTokens): Float32Array {
    const { dim, residualBytes } = this;
    const { nbits, weights, weightScale } = this.quantizer;
    const { values, scales } = this.codebook;
    const count = tokens.codes.length;
    const mask = (1 << nbits) - 1;
    const out = new Float32Array(count * dim);
    for (let t = 0; t < count; t++) {
      const code = tokens.codes[t]!;
      const inverse = fromFloat16(tokens.inverseNorms[t]!);
      for (let d = 0; d < dim; d++) {
        const byte = tokens.residuals[t * residualBytes + (d % residualBytes)]!;
        const bucket = (byte >>> (Math.floor(d / residualBytes) * nbits)) & mask;
        const centroid = (values[code * dim + d]! - 64) * scales[code]!;
        out[t * dim + d] = (centroid + (weights[bucket]! - 64) * weightScale) * inverse;
      }
    }
    return out;
  }
}
