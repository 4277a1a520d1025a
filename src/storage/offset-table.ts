/**
 * Byte offsets by a number of 32 bits, in 12 bytes a slot: for tables with more entries than a Map can hold or memory
 * should bear. Numbers may repeat, so whoever looks one up checks what stands at each offset.
 */

const FIRST_SLOTS = 1024;

export class OffsetTable {
  private slots = FIRST_SLOTS;
  private entries = 0;
  private tags = new Uint32Array(FIRST_SLOTS);
  /** 0 marks a free slot. */
  private offsets = new Float64Array(FIRST_SLOTS);

  get size(): number {
    return this.entries;
  }

  /** `tag` is u32, a part of a hash; `offset` a positive integer. */
  add(tag: number, offset: number): void {
    // At most two thirds full, so that probing ends soon.
    if (3 * (this.entries + 1) > 2 * this.slots) this.grow();
    this.insert(tag, offset);
    this.entries++;
  }

  /** Every offset that was added with this tag. */
  find(tag: number): number[] {
    const found: number[] = [];
    for (let slot = this.home(tag); this.offsets[slot] !== 0; slot = (slot + 1) % this.slots) {
      if (this.tags[slot] === tag) found.push(this.offsets[slot]!);
    }
    return found;
  }

  private insert(tag: number, offset: number): void {
    let slot = this.home(tag);
    while (this.offsets[slot] !== 0) slot = (slot + 1) % this.slots;
    this.tags[slot] = tag;
    this.offsets[slot] = offset;
  }

  private home(tag: number): number {
    return tag % this.slots;
  }

  private grow(): void {
    const { tags, offsets } = this;
    this.slots *= 2;
    this.tags = new Uint32Array(this.slots);
    this.offsets = new Float64Array(this.slots);
    for (const [slot, offset] of offsets.entries()) if (offset !== 0) this.insert(tags[slot]!, offset);
  }
}
