/** Centroid score tables of queries; several queries share one pass over the codebook. */
import type { Codebook, KernelBackend, PackedQuery } from "../kernels/backend.js";
import type { ScoreTables, Workspace } from "./workspace.js";

/** Centroids that all queries of a batch meet before the next ones are read: 128 KB at dimension 128. */
const BLOCK = 1024;

/** One set of tables a query; give them back to the workspace. `withBytes` fills the byte tables too. */
export function scoreCentroids(
  codebook: Codebook,
  queries: readonly PackedQuery[],
  withBytes: boolean,
  kernels: KernelBackend,
  workspace: Workspace,
): ScoreTables[] {
  const { size, dim, values, scales } = codebook;
  const tables = queries.map(({ lanes }) => workspace.takeTables(size * lanes));
  const block = queries.length === 1 ? size : BLOCK;
  for (let first = 0; first < size; first += block) {
    const end = Math.min(first + block, size);
    const part: Codebook = {
      size: end - first,
      dim,
      values: values.subarray(first * dim, end * dim),
      scales: scales.subarray(first, end),
    };
    queries.forEach((query, i) => {
      const cells = [first * query.lanes, end * query.lanes] as const;
      const { scores, bytes } = tables[i]!;
      const out = withBytes ? bytes.subarray(...cells) : null;
      kernels.centroidScores(query, part, scores.subarray(...cells), out);
    });
  }
  return tables;
}
