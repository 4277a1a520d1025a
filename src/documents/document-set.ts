/** Sets of documents by their numbers, one bit each, in blocks that are there where documents are. They are never changed. */

/** Documents of a block: 8 KB. Numbers are below 2^32, so that there are at most 65,536 blocks, wherever the numbers lie. */
const BLOCK_BITS = 16;
const BLOCK_WORDS = 2 ** (BLOCK_BITS - 5);
const IN_BLOCK = 2 ** BLOCK_BITS - 1;

/** u32 `[2,048]`: bit n % 32 of word n / 32 stands for document n of the block. */
type Block = Uint32Array;

export class DocumentSet implements Iterable<number> {
  /** Documents in it. */
  readonly size: number;
  /** Bytes of memory. */
  readonly bytes: number;

  private constructor(
    /** By document number / 65,536; undefined for one without documents. */
    private readonly blocks: readonly (Block | undefined)[],
  ) {
    let size = 0;
    let bytes = 8 * blocks.length;
    for (const block of blocks) {
      if (block === undefined) continue;
      for (const word of block) size += bitsOf(word);
      bytes += block.byteLength;
    }
    this.size = size;
    this.bytes = bytes;
  }

  /** @param numbers document numbers in any order; one that comes twice counts once. */
  static of(numbers: ArrayLike<number>): DocumentSet {
    const blocks: (Block | undefined)[] = [];
    for (let i = 0; i < numbers.length; i++) {
      const no = numbers[i]!;
      const at = no >>> BLOCK_BITS;
      while (blocks.length <= at) blocks.push(undefined);
      let block = blocks[at];
      if (block === undefined) blocks[at] = block = new Uint32Array(BLOCK_WORDS);
      block[(no & IN_BLOCK) >>> 5]! |= 1 << (no & 31);
    }
    return new DocumentSet(blocks);
  }

  has(documentNo: number): boolean {
    const word = this.blocks[documentNo >>> BLOCK_BITS]?.[(documentNo & IN_BLOCK) >>> 5];
    return word !== undefined && ((word >>> (documentNo & 31)) & 1) === 1;
  }

  /** Those in both. */
  and(other: DocumentSet): DocumentSet {
    return this.combined(other, (a, b) => (b === undefined ? undefined : a.map((word, w) => word & b[w]!)));
  }

  /** Those in either. */
  or(other: DocumentSet): DocumentSet {
    const own = this.combined(other, (a, b) => (b === undefined ? a : a.map((word, w) => word | b[w]!)));
    return new DocumentSet(filled(own.blocks, other.blocks));
  }

  /** Those in this one that are not in the other. */
  without(other: DocumentSet): DocumentSet {
    return this.combined(other, (a, b) => (b === undefined ? a : a.map((word, w) => word & ~b[w]!)));
  }

  /** Ascending. */
  *[Symbol.iterator](): Generator<number> {
    for (const [at, block] of this.blocks.entries()) {
      if (block === undefined) continue;
      for (let w = 0; w < BLOCK_WORDS; w++) {
        for (let rest = block[w]!; rest !== 0; rest &= rest - 1) {
          yield at * 2 ** BLOCK_BITS + 32 * w + (31 - Math.clz32(rest & -rest));
        }
      }
    }
  }

  /** What `combine` makes of each block of this set and the other's in its place. */
  private combined(
    other: DocumentSet,
    combine: (own: Block, others: Block | undefined) => Block | undefined,
  ): DocumentSet {
    return new DocumentSet(
      this.blocks.map((block, at) => (block === undefined ? undefined : combine(block, other.blocks[at]))),
    );
  }
}

/** `blocks`, with those of `more` where there are none. */
function filled(
  blocks: readonly (Block | undefined)[],
  more: readonly (Block | undefined)[],
): (Block | undefined)[] {
  return Array.from({ length: Math.max(blocks.length, more.length) }, (_, at) => blocks[at] ?? more[at]);
}

/** How many bits of a 32-bit word are 1. */
function bitsOf(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
