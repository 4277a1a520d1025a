/** Which centroids belong to which vocabulary id, for codecs trained token-aware. */

/** Centroids of one vocabulary id: `count` from `first`. */
export interface TokenGroup {
  readonly tokenId: number;
  readonly first: number;
  readonly count: number;
}

export class TokenGroups {
  private expanded: readonly TokenGroup[] | undefined;
  private byToken: ReadonlyMap<number, TokenGroup> | undefined;

  /**
   * @param source groups, or u32 `[groups][3]` as they stand in a file. Those are expanded when they are first needed, which
   * searching never does.
   */
  constructor(private readonly source: readonly TokenGroup[] | Uint32Array) {}

  /** Ascending token ids; empty when the codec was trained on vectors without token ids. */
  get groups(): readonly TokenGroup[] {
    const { source } = this;
    if (!(source instanceof Uint32Array)) return source;
    this.expanded ??= Array.from({ length: source.length / 3 }, (_, g) => ({
      tokenId: source[3 * g]!,
      first: source[3 * g + 1]!,
      count: source[3 * g + 2]!,
    }));
    return this.expanded;
  }

  /**
   * Ranges for the assignment kernel, u32 `[count][2]`: the centroids of the token's own id. The vectors in `unknown`,
   * ascending, have an id without centroids; their ranges mean nothing. Null when no id has centroids.
   */
  ranges(tokenIds: Uint32Array): { ranges: Uint32Array; unknown: Uint32Array } | null {
    if (this.groups.length === 0) return null;
    this.byToken ??= new Map(this.groups.map((group) => [group.tokenId, group]));
    const ranges = new Uint32Array(tokenIds.length * 2);
    const unknown: number[] = [];
    for (let i = 0; i < tokenIds.length; i++) {
      const group = this.byToken.get(tokenIds[i]!);
      if (group === undefined) unknown.push(i);
      ranges[2 * i] = group?.first ?? 0;
      ranges[2 * i + 1] = group === undefined ? 1 : group.first + group.count;
    }
    return { ranges, unknown: Uint32Array.from(unknown) };
  }
}
