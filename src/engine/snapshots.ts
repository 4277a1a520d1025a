/**
 * The generations that one `Index` answers from: the newest one it knows, and older ones that calls under way still use.
 * What none of them needs is closed: mapped files, and the lock that keeps the writer from removing them.
 */
import type { Catalog } from "../documents/catalog.js";
import type { FileMapper } from "../storage/file-mapper.js";
import { filesOf, type HeldSnapshot, holdNewest, type LoadedSnapshot } from "./load-snapshot.js";

interface Entry extends HeldSnapshot {
  /** Calls that use it. */
  uses: number;
}

export class Snapshots {
  private readonly entries = new Set<Entry>();
  private closed = false;

  private constructor(
    private readonly folder: string,
    private readonly catalog: Catalog,
    private readonly mapper: FileMapper | undefined,
    private current: Entry,
  ) {
    this.entries.add(current);
  }

  /** Errors: those of `holdNewest`. */
  static async open(folder: string, catalog: Catalog, mapper: FileMapper | undefined): Promise<Snapshots> {
    const held = await holdNewest(folder, catalog, null, mapper);
    return new Snapshots(folder, catalog, mapper, { ...held, uses: 0 });
  }

  /** The newest generation that this object knows. */
  get newest(): LoadedSnapshot {
    return this.current.loaded;
  }

  /** Runs `work` on the newest known generation, which stays open until it is done. */
  async use<T>(work: (loaded: LoadedSnapshot) => Promise<T>): Promise<T> {
    const entry = this.current;
    entry.uses++;
    try {
      return await work(entry.loaded);
    } finally {
      entry.uses--;
      this.collect();
    }
  }

  /** Goes on to the newest generation. Calls that overlap may end in any order; it never goes back. */
  async reload(): Promise<void> {
    await this.use(async (previous) => {
      if (this.catalog.newestGeneration() === previous.catalog.generation) return;
      const held = await holdNewest(this.folder, this.catalog, previous, this.mapper);
      const entry = { ...held, uses: 0 };
      this.entries.add(entry);
      if (held.loaded.catalog.generation > this.current.loaded.catalog.generation) this.current = entry;
    });
  }

  /** Closes everything that no call uses. Nothing may use a snapshot on this thread then. */
  close(): void {
    this.closed = true;
    this.collect();
  }

  private collect(): void {
    const done = [...this.entries].filter(
      (entry) => entry.uses === 0 && (this.closed || entry !== this.current),
    );
    if (done.length === 0) return;
    for (const entry of done) this.entries.delete(entry);
    const needed = new Set([...this.entries].flatMap(({ loaded }) => filesOf(loaded)));
    for (const { loaded, lock } of done) {
      for (const file of filesOf(loaded)) if (!needed.has(file)) file.close();
      lock.release();
    }
  }
}
