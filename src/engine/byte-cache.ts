/** Values by key, the least recently used of which make room once all together take too many bytes. */

export class ByteCache<V> {
  /** Oldest use first. */
  private readonly entries = new Map<string, { readonly value: V; readonly bytes: number }>();
  private total = 0;

  constructor(private readonly maxBytes: number) {}

  get(key: string): V | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined) return undefined;
    this.entries.delete(key);
    this.entries.set(key, entry);
    return entry.value;
  }

  /** A value that is too large for the cache by itself is not kept. The key counts as well. */
  set(key: string, value: V, valueBytes: number): void {
    this.remove(key);
    const bytes = valueBytes + 2 * key.length;
    if (bytes > this.maxBytes) return;
    this.entries.set(key, { value, bytes });
    this.total += bytes;
    for (const oldest of this.entries.keys()) {
      if (this.total <= this.maxBytes) break;
      this.remove(oldest);
    }
  }

  private remove(key: string): void {
    this.total -= this.entries.get(key)?.bytes ?? 0;
    this.entries.delete(key);
  }
}
