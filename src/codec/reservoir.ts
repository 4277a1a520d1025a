/** A bounded uniform sample of token vectors that come one after the other. */
import { Random } from "../common/random.js";
import type { QuantizedVectors } from "../kernels/backend.js";

const FIRST_ROOM = 1024;

export class Reservoir {
  private readonly random: Random;
  private values: Int8Array;
  private scales: Float32Array;
  private ids: Uint32Array;
  private kept = 0;
  private seen = 0;

  /** @param capacity vectors kept at most; each takes dim + 8 bytes */
  constructor(
    private readonly dim: number,
    private readonly capacity: number,
    seed: number,
  ) {
    this.random = new Random(seed);
    const room = Math.min(FIRST_ROOM, capacity);
    this.values = new Int8Array(room * dim);
    this.scales = new Float32Array(room);
    this.ids = new Uint32Array(room);
  }

  /** Offers vector `i`. Which ones are kept depends on the order alone (algorithm R of Vitter). */
  offer(vectors: QuantizedVectors, i: number, tokenId: number): void {
    this.seen++;
    let slot = this.kept;
    if (slot < this.capacity) this.kept++;
    else slot = this.random.below(this.seen);
    if (slot >= this.capacity) return;
    if (slot >= this.scales.length) this.grow();
    const { dim } = this;
    this.values.set(vectors.values.subarray(i * dim, (i + 1) * dim), slot * dim);
    this.scales[slot] = vectors.scales[i]!;
    this.ids[slot] = tokenId;
  }

  /** The kept vectors, without a copy. */
  sample(): { vectors: QuantizedVectors; tokenIds: Uint32Array } {
    const { dim, kept: count } = this;
    const vectors = {
      count,
      dim,
      values: this.values.subarray(0, count * dim),
      scales: this.scales.subarray(0, count),
    };
    return { vectors, tokenIds: this.ids.subarray(0, count) };
  }

  private grow(): void {
    const room = Math.min(this.capacity, 2 * this.scales.length);
    const { values, scales, ids } = this;
    this.values = new Int8Array(room * this.dim);
    this.values.set(values);
    this.scales = new Float32Array(room);
    this.scales.set(scales);
    this.ids = new Uint32Array(room);
    this.ids.set(ids);
  }
}
