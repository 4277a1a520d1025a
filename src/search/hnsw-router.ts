/** The router that walks a graph over the centroids (hnswlib). */
import hnswlib from "hnswlib-node";
import type { Codebook, PackedQuery, Probes } from "../kernels/backend.js";

import type { Router } from "./router.js";

/** Links of a node; 16 to 32 suit 128 dimensions. */
const GRAPH_LINKS = 24;
const GRAPH_BUILD_EFFORT = 200;
/** Candidates kept while searching, for each centroid wanted. */
const SEARCH_EFFORT_PER_PROBE = 4;
const MIN_SEARCH_EFFORT = 64;
const GRAPH_SEED = 42;

/**
 * A graph over the centroids, built in memory when the router is made: seconds for tens of thousands of centroids,
 * during which the calling thread is busy. It can miss a centroid that a scan would find.
 */
export class HnswRouter implements Router {
  private readonly graph: hnswlib.HierarchicalNSW;

  constructor(codebook: Codebook) {
    const { size, dim, values, scales } = codebook;
    this.graph = new hnswlib.HierarchicalNSW("ip", dim);
    this.graph.initIndex(size, GRAPH_LINKS, GRAPH_BUILD_EFFORT, GRAPH_SEED);
    for (let k = 0; k < size; k++) {
      const centroid = Array.from(
        values.subarray(k * dim, (k + 1) * dim),
        (value) => (value - 64) * scales[k]!,
      );
      this.graph.addPoint(centroid, k);
    }
  }

  probe(query: PackedQuery, table: Float32Array, nprobe: number): Probes {
    const { tokens, lanes, dim, values } = query;
    const ids = new Uint32Array(tokens * nprobe);
    const scores = new Float32Array(tokens * nprobe);
    this.graph.setEf(Math.max(MIN_SEARCH_EFFORT, SEARCH_EFFORT_PER_PROBE * nprobe));
    for (let q = 0; q < tokens; q++) {
      // Values lie as [dim / 4][lanes][4]; the token's scale does not change the order.
      const row = Array.from({ length: dim }, (_, d) => values[((d >> 2) * lanes + q) * 4 + (d & 3)]!);
      const found = this.graph
        .searchKnn(row, nprobe)
        .neighbors.map((id) => ({ id, score: table[id * lanes + q]! }))
        .sort((a, b) => b.score - a.score || a.id - b.id);
      found.forEach(({ id, score }, n) => {
        ids[q * nprobe + n] = id;
        scores[q * nprobe + n] = score;
      });
    }
    return { nprobe, ids, scores };
  }
}
