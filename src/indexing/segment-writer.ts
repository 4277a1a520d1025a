/** Writes one segment: residuals stream to the file, everything smaller is kept until the end. */

import type { Codec } from "../codec/codec.js";
import { buildPostings } from "../codec/postings.js";
import type { CompressedTokens } from "../kernels/backend.js";
import { type FileSummary, SectionFileWriter } from "../storage/section-writer.js";

/**
 * Tokens after which a builder starts the next segment. Writing keeps up to 14 bytes a token in memory (codes,
 * norms, posting entries, packed lists), so 16 million tokens take about 220 MB; at 4 bits and dimension 128 the
 * file has 1.1 GB.
 */
export const MAX_SEGMENT_TOKENS = 16_000_000;

/** A typed array that doubles its capacity. */
class Growing<T extends Uint8Array | Uint16Array | Uint32Array> {
  private buffer: T;
  private used = 0;
  private readonly allocate: (length: number) => T;

  constructor(allocate: (length: number) => T) {
    this.allocate = allocate;
    this.buffer = allocate(1024);
  }

  append(values: T): void {
    const needed = this.used + values.length;
    if (needed > this.buffer.length) {
      const larger = this.allocate(Math.max(needed, this.buffer.length * 2));
      larger.set(this.values);
      this.buffer = larger;
    }
    this.buffer.set(values, this.used);
    this.used = needed;
  }

  get values(): T {
    return this.buffer.subarray(0, this.used) as T;
  }
}

export interface WrittenSegment {
  readonly file: FileSummary;
  /** Numbers of its first and last passage. */
  readonly firstPassage: number;
  readonly lastPassage: number;
  readonly passages: number;
  readonly tokens: number;
}

export class SegmentWriter {
  private readonly lengths = new Growing<Uint32Array>((n) => new Uint32Array(n));
  private readonly numbers = new Growing<Uint32Array>((n) => new Uint32Array(n));
  private readonly documents = new Growing<Uint32Array>((n) => new Uint32Array(n));
  private readonly codes: Growing<Uint16Array | Uint32Array>;
  private readonly norms = new Growing<Uint16Array>((n) => new Uint16Array(n));
  private passages = 0;
  private tokenCount = 0;

  private constructor(
    private readonly codec: Codec,
    private readonly file: SectionFileWriter,
  ) {
    this.codes = new Growing<Uint16Array | Uint32Array>((n) => codec.newCodes(n));
  }

  static async create(folder: string, indexId: string, codec: Codec): Promise<SegmentWriter> {
    const file = await SectionFileWriter.create(folder, { type: "segment", indexId });
    file.section("residual", 1);
    return new SegmentWriter(codec, file);
  }

  get tokens(): number {
    return this.tokenCount;
  }

  get passageCount(): number {
    return this.passages;
  }

  /** Adds the next passage: numbers ascend, and the passages of one document follow each other. */
  async add(passageNo: number, documentNo: number, tokens: CompressedTokens): Promise<void> {
    this.numbers.append(Uint32Array.of(passageNo));
    this.lengths.append(Uint32Array.of(tokens.codes.length));
    this.documents.append(Uint32Array.of(documentNo));
    this.codes.append(tokens.codes);
    this.norms.append(tokens.inverseNorms);
    this.passages++;
    this.tokenCount += tokens.codes.length;
    if (tokens.residuals.length > 0) await this.file.append(tokens.residuals);
  }

  async finish(): Promise<WrittenSegment> {
    const { codec, file } = this;
    const { size } = codec.codebook;
    const lengths = this.lengths.values;
    const postings = buildPostings(this.codes.values, lengths, size);
    const info = Uint32Array.of(
      this.passages,
      codec.dim,
      codec.quantizer.nbits,
      size,
      codec.codeBytes,
      this.tokenCount % 2 ** 32,
      Math.floor(this.tokenCount / 2 ** 32),
      0,
    );
    file.section("info", 4);
    await file.append(info);
    file.section("lengths", 4);
    await file.append(lengths);
    const numbers = this.numbers.values;
    file.section("passage", 4);
    await file.append(numbers);
    file.section("document", 4);
    await file.append(this.documents.values);
    file.section("codes", codec.codeBytes);
    await file.append(this.codes.values);
    file.section("norms", 2);
    await file.append(this.norms.values);
    file.section("postoff", 4);
    await file.append(postings.offsets);
    file.section("postings", 1);
    await file.append(postings.bytes);
    return {
      file: await file.finish(),
      firstPassage: numbers[0]!,
      lastPassage: numbers.at(-1)!,
      passages: this.passages,
      tokens: this.tokenCount,
    };
  }

  /** Removes what was written so far. */
  async abort(): Promise<void> {
    await this.file.abort();
  }
}
