/** Passages that the index holds, as input of a build: their stored vectors, or none but their numbers. */
import type { Codec } from "../codec/codec.js";
import { throwIfAborted } from "../common/abort.js";
import { MaxsimError } from "../common/errors.js";
import type { StagedPassage } from "../documents/staging.js";
import type { PassageQueue, VectorSource } from "../indexing/build.js";
import { livePassages } from "../indexing/merge-segments.js";
import type { PassageVectors } from "../indexing/passage-vectors.js";
import { ordinalOf, placeOfPassage, type Segment } from "../indexing/segment.js";
import { quantizeVectors } from "../kernels/pack.js";
import { decodePassage } from "../search/rescore.js";

/** The live passages of segments, which come in the order of their numbers. */
export class StoredPassages implements PassageQueue {
  private readonly numbers: Uint32Array;
  private readonly documents: Uint32Array;

  constructor(segments: readonly Segment[]) {
    const total = segments.reduce((sum, segment) => sum + livePassages(segment), 0);
    this.numbers = new Uint32Array(total);
    this.documents = new Uint32Array(total);
    let at = 0;
    for (const { live, passages, numbers, documents } of segments) {
      for (let i = 0; i < (live?.length ?? passages); i++, at++) {
        const ordinal = live === null ? i : live[i]!;
        this.numbers[at] = numbers[ordinal]!;
        this.documents[at] = documents[ordinal]!;
      }
    }
  }

  get firstPassage(): number {
    return this.numbers[0] ?? 0;
  }

  get passages(): number {
    return this.numbers.length;
  }

  readPassages(from: number, limit: number): StagedPassage[] {
    const first = ordinalOf(this.numbers, from);
    const end = Math.min(first + limit, this.numbers.length);
    return Array.from({ length: Math.max(0, end - first) }, (_, i) => ({
      passageNo: this.numbers[first + i]!,
      documentNo: this.documents[first + i]!,
      text: "",
    }));
  }

  passageAt(ordinal: number): number {
    return this.numbers[ordinal]!;
  }

  /** The catalog knows them. */
  setTokens(): void {}
}

/** The vectors that segments hold, decoded. Vocabulary ids are those of the groups that the codes belong to. */
export class StoredVectors implements VectorSource {
  readonly dim: number;
  readonly tokensPerPassage: number;
  private readonly idOfCode: Uint32Array | null;

  constructor(
    private readonly codec: Codec,
    private readonly segments: readonly Segment[],
  ) {
    this.dim = codec.dim;
    const tokens = segments.reduce((sum, segment) => sum + segment.tokens, 0);
    const passages = segments.reduce((sum, segment) => sum + segment.passages, 0);
    this.tokensPerPassage = tokens / Math.max(1, passages);
    this.idOfCode = idsOfCodes(codec);
  }

  async vectors(
    passages: readonly StagedPassage[],
    signal: AbortSignal | undefined,
  ): Promise<PassageVectors[]> {
    throwIfAborted(signal, "the compaction");
    return passages.map(({ passageNo }) => this.vectorsOf(passageNo));
  }

  private vectorsOf(passageNo: number): PassageVectors {
    const place = placeOfPassage(this.segments, passageNo);
    if (place === undefined) throw new MaxsimError("INTERNAL", `no segment holds passage ${passageNo}`);
    const { segment, ordinal } = place;
    const rows = decodePassage(this.codec, segment, ordinal);
    const vectors = quantizeVectors(rows, rows.length / this.dim, this.dim);
    const codes = segment.compressed.codes.subarray(segment.offsets[ordinal], segment.offsets[ordinal + 1]);
    const ids = this.idOfCode;
    return { vectors, tokenIds: ids === null ? null : Uint32Array.from(codes, (code) => ids[code]!) };
  }
}

/** Null for a codec that was trained without ids. */
function idsOfCodes({ codebook, tokenGroups }: Codec): Uint32Array | null {
  const { groups } = tokenGroups;
  if (groups.length === 0) return null;
  const ids = new Uint32Array(codebook.size).fill(0xffffffff);
  for (const { tokenId, first, count } of groups) ids.fill(tokenId, first, first + count);
  return ids;
}
