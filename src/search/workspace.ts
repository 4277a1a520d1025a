/**
 * Memory that searches of one thread use again and again. A score table is megabytes: fresh ones would cost more in page
 * faults than filling them does.
 */
import type { GatherScratch } from "../kernels/backend.js";

/** Centroid scores of one query; shared memory, so that other threads can read the same copy. */
export interface ScoreTables {
  /** f32 `[centroids][lanes]`: see `KernelBackend.centroidScores`. */
  readonly scores: Float32Array;
  /** u8 `[centroids][lanes]`. */
  readonly bytes: Uint8Array;
}

/** Passages that gathering reached in all segments together, segment after segment. */
export interface ReachedPassages {
  readonly passages: Uint32Array;
  readonly sums: Float32Array;
}

/** Sets of tables that are kept: as many as queries of one batch share a scan. */
const KEPT_TABLES = 4;
/** A float and a byte. */
const BYTES_PER_CELL = 5;

export class Workspace {
  private tables: SharedArrayBuffer[] = [];
  private reached: ReachedPassages = { passages: new Uint32Array(0), sums: new Float32Array(0) };
  private scratch: GatherScratch | undefined;

  /** Tables of `cells` numbers of any content, taken out until they are given back. */
  takeTables(cells: number): ScoreTables {
    const fitting = this.tables.findIndex((free) => free.byteLength >= cells * BYTES_PER_CELL);
    // Those that are all too small belong to a codebook of the past, or to shorter queries.
    if (fitting < 0) this.tables = [];
    const buffer = this.tables.splice(fitting, 1)[0] ?? new SharedArrayBuffer(cells * BYTES_PER_CELL);
    return { scores: new Float32Array(buffer, 0, cells), bytes: new Uint8Array(buffer, cells * 4, cells) };
  }

  giveTables({ scores }: ScoreTables): void {
    const { buffer } = scores;
    if (buffer instanceof SharedArrayBuffer && this.tables.length < KEPT_TABLES) this.tables.push(buffer);
  }

  /** Arrays of `passages` entries or more, of any content, valid until the next call. */
  reachedPassages(passages: number): ReachedPassages {
    if (this.reached.passages.length < passages) {
      this.reached = { passages: new Uint32Array(passages), sums: new Float32Array(passages) };
    }
    return this.reached;
  }

  /**
   * Scratch of `passages` entries, one for all segments in turn, which keeps it in the cache. Taken out while it is in use, so
   * that a search that fails half way leaves no marks for the next one.
   */
  takeScratch(passages: number): GatherScratch {
    const known = this.scratch;
    this.scratch = undefined;
    if (known === undefined || known.marks.length < passages) {
      return { marks: new Uint8Array(passages), sums: new Float32Array(passages) };
    }
    return known;
  }

  giveScratch(scratch: GatherScratch): void {
    this.scratch = scratch;
  }
}
