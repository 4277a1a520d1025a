/** Vectors of one passage on their way into a segment, and their form in a spill file. */
import type { QuantizedVectors } from "../kernels/backend.js";
import type { SpillFile } from "../storage/spill-file.js";

export interface PassageVectors {
  readonly vectors: QuantizedVectors;
  /** Vocabulary id of each vector; null for vectors that the user brought. */
  readonly tokenIds: Uint32Array | null;
}

/** A passage without token vectors: it is stored and found by id, and no search returns it. */
export function noVectors(dim: number): PassageVectors {
  return {
    vectors: { count: 0, dim, values: new Int8Array(0), scales: new Float32Array(0) },
    tokenIds: null,
  };
}

/** Parts of a record: u32 count, u32 1 when ids follow, f32 scales, u32 ids, s8 values. */
export function vectorParts({ vectors, tokenIds }: PassageVectors): Uint8Array[] {
  const head = Uint32Array.of(vectors.count, tokenIds === null ? 0 : 1);
  const parts = [head, vectors.scales, ...(tokenIds === null ? [] : [tokenIds]), vectors.values];
  return parts.map((part) => new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
}

/** The vectors of a record, as views of it. */
export function vectorsOf(record: ArrayBuffer, dim: number): PassageVectors {
  const [count = 0, hasIds = 0] = new Uint32Array(record, 0, 2);
  const scales = new Float32Array(record, 8, count);
  const tokenIds = hasIds === 1 ? new Uint32Array(record, 8 + 4 * count, count) : null;
  const values = new Int8Array(record, 8 + 4 * count * (1 + hasIds), count * dim);
  return { vectors: { count, dim, values, scales }, tokenIds };
}

export async function spillVectors(spill: SpillFile, passage: PassageVectors): Promise<number> {
  return spill.append(...vectorParts(passage));
}

export async function unspillVectors(spill: SpillFile, record: number, dim: number): Promise<PassageVectors> {
  return vectorsOf(await spill.read(record), dim);
}
