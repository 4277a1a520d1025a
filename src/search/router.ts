/**
 * The router finds the nearest centroids of each query token. `scan` reads them off the whole score table and is
 * exact; `hnsw` walks a graph over the centroids and may miss one.
 */
import type { Codebook, KernelBackend, PackedQuery, Probes } from "../kernels/backend.js";

/** "auto" is "scan" unless the codebook is very large: see `routerFor`. */
export type RouterName = "auto" | "scan" | "hnsw";

export interface Router {
  readonly name: "scan" | "hnsw";
  /**
   * The `nprobe` nearest centroids of each query token, best first, scored by `table`, the centroid score table.
   * nprobe is at most the number of centroids.
   */
  probe(query: PackedQuery, table: Float32Array, nprobe: number): Probes;
}

export class ScanRouter implements Router {
  readonly name = "scan";

  constructor(
    private readonly kernels: KernelBackend,
    private readonly codebook: Codebook,
  ) {}

  probe(query: PackedQuery, table: Float32Array, nprobe: number): Probes {
    const ids = new Uint32Array(query.tokens * nprobe);
    const scores = new Float32Array(query.tokens * nprobe);
    this.kernels.topCentroids(table, this.codebook.size, query, nprobe, ids, scores);
    return { nprobe, ids, scores };
  }
}
