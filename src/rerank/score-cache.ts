/** Scores that are kept from one call to the next. */
export interface ScoreCache {
  /**
   * The values under each key, undefined where there are none. Keys are hashes in hex. A cache that cannot be read misses; it never
   * makes a request fail.
   */
  lookUp(keys: readonly string[]): Promise<ReadonlyArray<Float64Array | undefined>>;
  store(entries: ReadonlyArray<{ readonly key: string; readonly values: Float64Array }>): Promise<void>;
}
