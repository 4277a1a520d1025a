/** Which centroid stands for a token vector: the codec's own rule, for training and for every later add. */
import type { Codebook, KernelBackend, QuantizedVectors } from "../kernels/backend.js";
import { CentroidCells } from "./cells.js";
import { GroupedCodebook } from "./grouped-codebook.js";
import { pickVectors } from "./rows.js";
import type { TokenGroups } from "./token-groups.js";

/** Below this many centroids comparing with all of them costs less than looking into cells. */
export const MIN_CENTROIDS_FOR_CELLS = 8192;

export class CodeAssigner {
  /** Made when it is first needed: tens of milliseconds. */
  private cells: CentroidCells | undefined;
  /** Likewise; null when no id has centroids. */
  private grouped: GroupedCodebook | null | undefined;

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
    const grouped = tokenIds === null ? null : this.groupedCodebook();
    if (tokenIds === null || grouped === null) {
      this.assignToNearest(vectors, codes, kernels);
      return codes;
    }
    const { ranges, unknown } = grouped.ranges(tokenIds);
    kernels.assign(vectors, grouped.codebook, ranges, codes);
    grouped.toCodes(codes);
    if (unknown.length > 0) {
      const found = new Uint32Array(unknown.length);
      this.assignToNearest(pickVectors(vectors, unknown), found, kernels);
      for (let n = 0; n < unknown.length; n++) codes[unknown[n]!] = found[n]!;
    }
    return codes;
  }

  private groupedCodebook(): GroupedCodebook | null {
    if (this.grouped === undefined) {
      const { groups } = this.tokenGroups;
      this.grouped = groups.length === 0 ? null : new GroupedCodebook(this.codebook, groups);
    }
    return this.grouped;
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
