/** Which centroids belong to which vocabulary id, for codecs trained token-aware. */

/** Centroids of one vocabulary id: `count` from `first`. */
export interface TokenGroup {
  readonly tokenId: number;
  readonly first: number;
  readonly count: number;
}

export class TokenGroups {
  /** Ascending token ids; empty when the codec was trained on vectors without token ids. */
  readonly groups: readonly TokenGroup[];
  private readonly byToken: Map<number, TokenGroup>;

  constructor(groups: readonly TokenGroup[]) {
    this.groups = groups;
    this.byToken = new Map(groups.map((group) => [group.tokenId, group]));
  }

  /**
   * Ranges for the assignment kernel, u32 `[count][2]`: the centroids of the token's own id when it has some,
   * else all `centroids`. Null, meaning all for every vector, without ids or without groups.
   */
  ranges(tokenIds: Uint32Array | null, centroids: number): Uint32Array | null {
    if (tokenIds === null || this.groups.length === 0) return null;
    const ranges = new Uint32Array(tokenIds.length * 2);
    for (let i = 0; i < tokenIds.length; i++) {
      const group = this.byToken.get(tokenIds[i]!);
      ranges[2 * i] = group?.first ?? 0;
      ranges[2 * i + 1] = group === undefined ? centroids : group.first + group.count;
    }
    return ranges;
  }
}
