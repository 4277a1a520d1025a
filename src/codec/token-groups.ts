/** Which centroids belong to which vocabulary id, for codecs trained token-aware. */

/** Centroids of one vocabulary id: `count` from `first`. */
export interface TokenGroup {
  readonly tokenId: number;
  readonly first: number;
  readonly count: number;
}

export class TokenGroups {
  private expanded: readonly TokenGroup[] | undefined;
  private distinct: ReadonlySet<number> | undefined;

  /**
   * @param source groups, or u32 `[groups][3]` as they stand in a file. Those are expanded when they are first needed, which
   * searching never does.
   */
  constructor(private readonly source: readonly TokenGroup[] | Uint32Array) {}

  /**
   * Ascending by (token id, first centroid); empty when the codec was trained on vectors without token ids. The centroids
   * of an id may lie in several ranges, which do not overlap; ranges of different ids may.
   */
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

  /** The ids that have centroids. */
  get tokenIds(): ReadonlySet<number> {
    this.distinct ??= new Set(this.groups.map(({ tokenId }) => tokenId));
    return this.distinct;
  }
}
