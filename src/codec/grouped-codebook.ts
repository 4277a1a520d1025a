/**
 * A codebook in which the centroids of each vocabulary id lie side by side, as the assignment kernel wants them: one range a
 * vector. Extended codecs have the centroids of an id in several places, and then this is a copy in another order.
 */
import type { Codebook } from "../kernels/backend.js";
import { pickCentroids } from "./rows.js";
import type { TokenGroup } from "./token-groups.js";

/** Positions in the codebook: `count` from `first`. */
type Run = Pick<TokenGroup, "first" | "count">;

export class GroupedCodebook {
  readonly codebook: Codebook;
  /** Position to code, ascending inside an id, so that ties go to the lower code; null when they are the same. */
  private readonly codes: Uint32Array | null;
  private readonly runs: ReadonlyMap<number, Run>;

  /** @param groups ascending by (token id, first centroid), at least one */
  constructor(codebook: Codebook, groups: readonly TokenGroup[]) {
    const runs = new Map<number, Run>();
    let positions = 0;
    for (const { tokenId, count } of groups) {
      const run = runs.get(tokenId);
      runs.set(tokenId, { first: run?.first ?? positions, count: (run?.count ?? 0) + count });
      positions += count;
    }
    if (runs.size === groups.length) {
      this.codebook = codebook;
      this.codes = null;
      this.runs = new Map(groups.map((group) => [group.tokenId, group]));
      return;
    }
    const codes = new Uint32Array(positions);
    let at = 0;
    for (const { first, count } of groups) for (let k = 0; k < count; k++) codes[at++] = first + k;
    this.codebook = pickCentroids(codebook, codes);
    this.codes = codes;
    this.runs = runs;
  }

  /**
   * Ranges for the assignment kernel over `codebook`, u32 `[count][2]`: the centroids of the token's own id. The vectors in
   * `unknown`, ascending, have an id without centroids; their ranges mean nothing.
   */
  ranges(tokenIds: Uint32Array): { ranges: Uint32Array; unknown: Uint32Array } {
    const ranges = new Uint32Array(tokenIds.length * 2);
    const unknown: number[] = [];
    for (let i = 0; i < tokenIds.length; i++) {
      const run = this.runs.get(tokenIds[i]!);
      if (run === undefined) unknown.push(i);
      ranges[2 * i] = run?.first ?? 0;
      ranges[2 * i + 1] = run === undefined ? 1 : run.first + run.count;
    }
    return { ranges, unknown: Uint32Array.from(unknown) };
  }

  /** Replaces positions in `codebook` by codes. */
  toCodes(positions: Uint32Array): void {
    const { codes } = this;
    if (codes === null) return;
    for (let i = 0; i < positions.length; i++) positions[i] = codes[positions[i]!]!;
  }
}
