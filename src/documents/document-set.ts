/** Sets of documents by their numbers, one bit each. They are never changed. */

export class DocumentSet implements Iterable<number> {
  /** Documents in it. */
  readonly size: number;

  private constructor(
    /** u32: bit n % 32 of word n / 32 stands for document n; what lies beyond is not in the set. */
    private readonly words: Uint32Array,
  ) {
    let size = 0;
    for (const word of words) size += bitsOf(word);
    this.size = size;
  }

  /** @param numbers document numbers in any order; one that comes twice counts once. */
  static of(numbers: ArrayLike<number>): DocumentSet {
    let last = -1;
    for (let i = 0; i < numbers.length; i++) last = Math.max(last, numbers[i]!);
    const words = new Uint32Array((last + 32) >>> 5);
    for (let i = 0; i < numbers.length; i++) {
      const no = numbers[i]!;
      words[no >>> 5]! |= 1 << (no & 31);
    }
    return new DocumentSet(words);
  }

  /** Bytes of memory. */
  get bytes(): number {
    return this.words.byteLength;
  }

  has(documentNo: number): boolean {
    const word = this.words[documentNo >>> 5];
    return word !== undefined && ((word >>> (documentNo & 31)) & 1) === 1;
  }

  /** Those in both. */
  and(other: DocumentSet): DocumentSet {
    const length = Math.min(this.words.length, other.words.length);
    return this.combined(length, (w) => this.words[w]! & other.words[w]!);
  }

  /** Those in either. */
  or(other: DocumentSet): DocumentSet {
    const length = Math.max(this.words.length, other.words.length);
    return this.combined(length, (w) => (this.words[w] ?? 0) | (other.words[w] ?? 0));
  }

  /** Those in this one that are not in the other. */
  without(other: DocumentSet): DocumentSet {
    return this.combined(this.words.length, (w) => this.words[w]! & ~(other.words[w] ?? 0));
  }

  /** Ascending. */
  *[Symbol.iterator](): Generator<number> {
    for (let w = 0; w < this.words.length; w++) {
      for (let rest = this.words[w]!; rest !== 0; rest &= rest - 1) {
        yield 32 * w + (31 - Math.clz32(rest & -rest));
      }
    }
  }

  private combined(length: number, word: (w: number) => number): DocumentSet {
    const words = new Uint32Array(length);
    for (let w = 0; w < length; w++) words[w] = word(w);
    return new DocumentSet(words);
  }
}

/** How many bits of a 32-bit word are 1. */
function bitsOf(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
