/**
 * The bytes of a segment file by where a writer puts them, whatever its header and section table say: for taking what is
 * sound out of a damaged file.
 */
import { codeBytes } from "../codec/code-bytes.js";
import type { Codec } from "../codec/codec.js";
import { type ReadableFile, readAll } from "../storage/file-system.js";
import { alignUp, BLOCK_BYTES, HEAD_BYTES } from "../storage/section-format.js";

/** What the catalog says of the segment. */
export interface SegmentShape {
  readonly firstPassage: number;
  readonly lastPassage: number;
  readonly passages: number;
  readonly tokens: number;
}

/** The passages of a segment in order. */
export interface PassageTable {
  readonly numbers: Uint32Array;
  readonly documents: Uint32Array;
  /** Tokens of each. */
  readonly lengths: Uint32Array;
}

type Tag =
  | "residual"
  | "info"
  | "lengths"
  | "passage"
  | "document"
  | "codes"
  | "norms"
  | "postoff"
  | "postings";

interface Place {
  readonly offset: number;
  readonly byteLength: number;
}

const INFO_BYTES = 32;

/**
 * Where the sections of a segment lie, in the order of `SegmentWriter`; the last one, `postings`, reaches to the end of the
 * body. `codec` is the one that the segment was written with.
 */
export function sectionPlaces({ passages, tokens }: SegmentShape, codec: Codec): ReadonlyMap<Tag, Place> {
  const { size } = codec.codebook;
  const sizes: ReadonlyArray<readonly [Tag, number]> = [
    ["residual", tokens * codec.residualBytes],
    ["info", INFO_BYTES],
    ["lengths", 4 * passages],
    ["passage", 4 * passages],
    ["document", 4 * passages],
    ["codes", tokens * codeBytes(size)],
    ["norms", 2 * tokens],
    ["postoff", 4 * (size + 1)],
    ["postings", 0],
  ];
  const places = new Map<Tag, Place>();
  let offset = HEAD_BYTES;
  for (const [tag, byteLength] of sizes) {
    places.set(tag, { offset, byteLength });
    offset = alignUp(offset + byteLength);
  }
  return places;
}

/** What cannot be computed from the rest of a segment. */
const PRIMARY = ["residual", "codes"] as const;
const TABLE = ["lengths", "passage", "document"] as const;

export class SegmentImage {
  private readonly places: ReadonlyMap<Tag, Place>;

  /** @param badBlocks null when nothing is known of any block: see `FileInspection`. */
  constructor(
    private readonly file: ReadableFile,
    readonly shape: SegmentShape,
    readonly codec: Codec,
    private readonly badBlocks: ReadonlySet<number> | null,
  ) {
    this.places = sectionPlaces(shape, codec);
  }

  /** Whether it is known which blocks are what was written. */
  get badBlocksKnown(): boolean {
    return this.badBlocks !== null;
  }

  /** Whether every code and residual is what was written. */
  get primarySound(): boolean {
    return this.badBlocks !== null && PRIMARY.every((tag) => this.areSound(tag));
  }

  /** False when a code or residual was certainly lost: a damaged block holds nothing else. */
  get primaryPossible(): boolean {
    const end = this.placeOf("codes").offset + this.placeOf("codes").byteLength;
    if (this.file.length < end) return false;
    return ![...(this.badBlocks ?? [])].some((block) =>
      PRIMARY.some((tag) => {
        const { offset, byteLength } = this.placeOf(tag);
        return block * BLOCK_BYTES >= offset && (block + 1) * BLOCK_BYTES <= offset + byteLength;
      }),
    );
  }

  /** Whether the codes and residuals of tokens `from` .. `to - 1` are what was written. */
  areTokensSound(from: number, to: number): boolean {
    const { residualBytes } = this.codec;
    const size = codeBytes(this.codec.codebook.size);
    return (
      this.badBlocks !== null &&
      this.areSound("residual", from * residualBytes, to * residualBytes) &&
      this.areSound("codes", from * size, to * size)
    );
  }

  /** The table of passages as the file has it; null when it cannot be the one that was written. Errors: IO. */
  async table(): Promise<PassageTable | null> {
    const { offset, byteLength } = this.placeOf("document");
    if (this.file.length < offset + byteLength) return null;
    const [lengths, numbers, documents] = await Promise.all(TABLE.map((tag) => this.words(tag)));
    const table = { lengths: lengths!, numbers: numbers!, documents: documents! };
    return isTableOf(table, this.shape) ? table : null;
  }

  /** Whether that table is what was written. */
  get tableSound(): boolean {
    return this.badBlocks !== null && TABLE.every((tag) => this.areSound(tag));
  }

  /** u16 or u32 codes and u8 residuals of tokens `from` .. `to - 1`, as they are. Errors: CORRUPT, IO. */
  async tokens(
    from: number,
    to: number,
  ): Promise<{ readonly codes: Uint16Array | Uint32Array; readonly residuals: Uint8Array }> {
    const { residualBytes } = this.codec;
    const codes = this.codec.newCodes(to - from);
    const residuals = new Uint8Array((to - from) * residualBytes);
    await this.read("codes", from * codes.BYTES_PER_ELEMENT, new Uint8Array(codes.buffer));
    await this.read("residual", from * residualBytes, residuals);
    return { codes, residuals };
  }

  private async words(tag: Tag): Promise<Uint32Array> {
    const words = new Uint32Array(this.placeOf(tag).byteLength / 4);
    await this.read(tag, 0, new Uint8Array(words.buffer));
    return words;
  }

  private async read(tag: Tag, from: number, target: Uint8Array): Promise<void> {
    await readAll(this.file, target, this.placeOf(tag).offset + from);
  }

  private areSound(tag: Tag, from = 0, to = this.placeOf(tag).byteLength): boolean {
    const { offset } = this.placeOf(tag);
    if (offset + to > this.file.length) return false;
    if (from >= to) return true;
    const last = Math.floor((offset + to - 1) / BLOCK_BYTES);
    for (let block = Math.floor((offset + from) / BLOCK_BYTES); block <= last; block++) {
      if (this.badBlocks?.has(block) !== false) return false;
    }
    return true;
  }

  private placeOf(tag: Tag): Place {
    return this.places.get(tag)!;
  }
}

/** Whether a table has as many passages and tokens as a segment of this shape, in the same range. */
export function isTableOf({ numbers, documents, lengths }: PassageTable, shape: SegmentShape): boolean {
  const { passages, tokens, firstPassage, lastPassage } = shape;
  if (numbers.length !== passages || documents.length !== passages || lengths.length !== passages)
    return false;
  if (numbers[0] !== firstPassage || numbers.at(-1) !== lastPassage) return false;
  if (numbers.some((number, p) => p > 0 && number <= numbers[p - 1]!)) return false;
  return lengths.reduce((sum, length) => sum + length, 0) === tokens;
}
