/** Which centroid stands for a token vector: the codec's own rule, for training and for every later add. */
import type { Codebook, KernelBackend, QuantizedVectors } from "../kernels/backend.js";
import { CentroidCells } from "./cells.js";
import { pickVectors } from "./rows.js";
import type { TokenGroups } from "./token-groups.js";

/** Below this many centroids comparing with all of them costs less than looking into cells. */
export const MIN_CENTROIDS_FOR_CELLS = 8192;

export class CodeAssigner {
  /** Made when it is first needed: tens of milliseconds. */
  private cells: CentroidCells | undefined;

  constructor(
    private readonly codebook: Codebook,
    private readonly tokenGroups: TokenGroups,
  ) {}

  /**
   * The code of each vector, u32 `[count]`: the nearest centroid by dot product among those of the token's own id.
   * A vector without an id, or with one that the codec does not know, takes the nearest of all; of 8192 centroids or
   * more the nearest that `CentroidCells` finds. Ties go to the lower code. `tokenIds` null: no ids.
   */
  assign(vectors: QuantizedVectors, tokenIds: Uint32Array | null, kernels: KernelBackend): Uint32Array {
    const codes = new Uint32Array(vectors.count);
    if (vectors.count === 0) return codes;
    const grouped = tokenIds === null ? null : this.tokenGroups.ranges(tokenIds);
    if (grouped === null) {
      this.assignToNearest(vectors, codes, kernels);
      return codes;
    }
    kernels.assign(vectors, this.codebook, grouped.ranges, codes);
    const { unknown } = grouped;
    if (unknown.length > 0) {
      const found = new Uint32Array(unknown.length);
      this.assignToNearest(pickVectors(vectors, unknown), found, kernels);
      for (let n = 0; n < unknown.length; n++) codes[unknown[n]!] = found[n]!;
    }
    return codes;
  }

  private assignToNearest(vectors: QuantizedVectors, codes: Uint32Array, kernels: KernelBackend): void {
    if (this.codebook.size < MIN_CENTROIDS_FOR_CELLS) {
      kernels.assign(vectors, this.codebook, null, codes);
      return;
    }
    this.cells ??= new CentroidCells(this.codebook, kernels);
    this.cells.assign(vectors, codes, kernels);
  }
}
