/** Reads the index folders that Stanford ColBERT writes and decodes their token vectors by the published rule. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readTorchFile, type Tensor } from "./torch-file.js";

export interface StanfordIndex {
  readonly dim: number;
  readonly nbits: number;
  /** Rows of `centroids`. */
  readonly size: number;
  /** f32 `[size][dim]`. */
  readonly centroids: Float32Array;
  /** `[2^nbits - 1]`, ascending. */
  readonly cutoffs: Float32Array;
  /** `[2^nbits]`. */
  readonly weights: Float32Array;
  /** One a token, in passage order. */
  readonly codes: Int32Array;
  /** u8 `[tokens][dim * nbits / 8]`. */
  readonly residuals: Uint8Array;
  /** Tokens of each passage. */
  readonly lengths: Uint32Array;
  /** For each centroid its ascending passages. */
  readonly lists: readonly (readonly number[])[];
}

export function readStanfordIndex(folder: string): StanfordIndex {
  const metadata = JSON.parse(readFileSync(join(folder, "metadata.json"), "utf8"));
  const { dim, nbits } = metadata.config as { dim: number; nbits: number };
  const [centroids] = readTorchFile(join(folder, "centroids.pt"));
  const [cutoffs, weights] = readTorchFile(join(folder, "buckets.pt"));
  const codes: number[] = [];
  const residuals: Buffer[] = [];
  const lengths: number[] = [];
  for (let chunk = 0; chunk < metadata.num_chunks; chunk++) {
    for (const code of readTorchFile(join(folder, `${chunk}.codes.pt`))[0]!.data) codes.push(code);
    residuals.push(Buffer.from(bytes(readTorchFile(join(folder, `${chunk}.residuals.pt`))[0])));
    lengths.push(...(JSON.parse(readFileSync(join(folder, `doclens.${chunk}.json`), "utf8")) as number[]));
  }
  const [passages, listLengths] = readTorchFile(join(folder, "ivf.pid.pt"));
  const index: StanfordIndex = {
    dim,
    nbits,
    size: centroids!.shape[0]!,
    centroids: floats(centroids),
    cutoffs: floats(cutoffs),
    weights: floats(weights),
    codes: Int32Array.from(codes),
    residuals: new Uint8Array(Buffer.concat(residuals)),
    lengths: Uint32Array.from(lengths),
    lists: cutLists(passages!, listLengths!),
  };
  const tokens = lengths.reduce((sum, n) => sum + n, 0);
  if (codes.length !== tokens || index.residuals.length !== (tokens * dim * nbits) / 8) {
    throw new Error(`${folder}: codes, residuals and passage lengths do not agree`);
  }
  return index;
}

/**
 * Buckets of packed bytes in the order of the dimensions: bit t of a bucket, the least significant first, stands at
 * stream position d * nbits + t, and stream position p is bit 7 - p mod 8 of byte floor(p / 8).
 */
export function unpackBuckets(packed: Uint8Array, nbits: number): Uint8Array {
  const buckets = new Uint8Array((packed.length * 8) / nbits);
  for (let p = 0; p < packed.length * 8; p++) {
    const bit = (packed[p >>> 3]! >>> (7 - (p & 7))) & 1;
    const d = Math.floor(p / nbits);
    buckets[d] = buckets[d]! | (bit << (p % nbits));
  }
  return buckets;
}

/** (centroid + weights of its buckets) / norm of that, f32 `[tokens][dim]`. */
export function decodeStanfordIndex(index: StanfordIndex): Float32Array {
  const { dim, codes, centroids, weights } = index;
  const buckets = unpackBuckets(index.residuals, index.nbits);
  const vectors = new Float32Array(codes.length * dim);
  for (let t = 0; t < codes.length; t++) {
    const row = vectors.subarray(t * dim, (t + 1) * dim);
    let square = 0;
    for (let d = 0; d < dim; d++) {
      const value = centroids[codes[t]! * dim + d]! + weights[buckets[t * dim + d]!]!;
      row[d] = value;
      square += value * value;
    }
    const norm = Math.max(Math.sqrt(square), 1e-12);
    for (let d = 0; d < dim; d++) row[d] = row[d]! / norm;
  }
  return vectors;
}

function cutLists(passages: Tensor, lengths: Tensor): number[][] {
  let at = 0;
  return Array.from(lengths.data, (length) => {
    const list = Array.from(passages.data.subarray(at, at + length));
    at += length;
    return list;
  });
}

function floats(tensor: Tensor | undefined): Float32Array {
  if (!(tensor?.data instanceof Float32Array)) throw new Error("a tensor of floats was expected");
  return tensor.data;
}

function bytes(tensor: Tensor | undefined): Uint8Array {
  if (!(tensor?.data instanceof Uint8Array)) throw new Error("a tensor of bytes was expected");
  return tensor.data;
}
