/**
 * Whether a segment whose bytes are sound says what it should: codes, norms and posting lists fit each other, and its
 * passages are those of the catalog. Checksums cannot tell, because a program that wrote nonsense wrote its checksum too.
 */
import type { Codec } from "../codec/codec.js";
import { inverseNorms } from "../codec/inverse-norms.js";
import { buildPostings } from "../codec/postings.js";
import { fromFloat16 } from "../common/float16.js";
import type { DeletedPassages, PassageFact } from "../documents/records.js";
import type { Damage } from "../storage/corrupt-file.js";
import type { SectionFile } from "../storage/section-file.js";
import type { Segment } from "./segment.js";

/** What the catalog says of passages in the segment's range of numbers. */
export interface SegmentFacts {
  /** Ascending. */
  readonly passages: Iterable<PassageFact>;
  /** Ascending. */
  readonly deleted: readonly DeletedPassages[];
}

export interface SegmentCheckOptions {
  /** Whether the norm of every token is computed again, instead of those of a sample. */
  readonly deep: boolean;
}

/** Tokens whose norms are computed again: so many runs of so many, spread evenly. */
const SAMPLED_RUNS = 64;
const RUN_TOKENS = 256;
/** Problems of one kind that are described. */
const MAX_OF_A_KIND = 3;

/**
 * Everything that is wrong with the content of a decoded segment. `codec` is the one that it was written with, or an
 * extension of it. Takes some 20 bytes of memory a token.
 */
export function checkSegment(
  segment: Segment & { readonly file: SectionFile },
  codec: Codec,
  facts: SegmentFacts,
  { deep }: SegmentCheckOptions,
): Damage[] {
  const codes = checkCodes(segment);
  // Norms and posting lists of codes that do not exist cannot be computed.
  const derived = codes.length > 0 ? codes : [...checkNorms(segment, codec, deep), ...checkPostings(segment)];
  return [...derived, ...checkPassages(segment, facts)];
}

/** Damage of one kind: the first few, then how many more there are. */
class Found {
  readonly damage: Damage[] = [];
  private count = 0;

  constructor(private readonly kind: string) {}

  add(offset: number, what: string): void {
    if (this.count++ < MAX_OF_A_KIND) this.damage.push({ offset, what });
  }

  get all(): Damage[] {
    const more = this.count - MAX_OF_A_KIND;
    return more > 0 ? [...this.damage, { what: `${more} more ${this.kind}` }] : this.damage;
  }
}

function checkCodes({ file, compressed: { codes }, centroids }: Checked): Damage[] {
  const { offset } = file.section("codes", codes.BYTES_PER_ELEMENT as 2 | 4);
  const found = new Found("codes that do not exist");
  for (let t = 0; t < codes.length; t++) {
    if (codes[t]! < centroids) continue;
    found.add(
      offset + t * codes.BYTES_PER_ELEMENT,
      `token ${t} has code ${codes[t]}, there are ${centroids} centroids`,
    );
  }
  return found.all;
}

type Checked = Segment & { readonly file: SectionFile };

function checkNorms({ file, compressed, tokens }: Checked, codec: Codec, deep: boolean): Damage[] {
  const { codes, residuals, inverseNorms: stored } = compressed;
  const { residualBytes } = codec;
  const { offset } = file.section("norms", 2);
  const found = new Found("inverse norms that do not fit");
  const step = deep ? RUN_TOKENS : Math.max(RUN_TOKENS, Math.ceil(tokens / SAMPLED_RUNS));
  for (let from = 0; from < tokens; from += step) {
    const to = Math.min(from + RUN_TOKENS, tokens);
    const expected = inverseNorms(
      codec,
      codes.subarray(from, to),
      residuals.subarray(from * residualBytes, to * residualBytes),
    );
    for (let t = from; t < to; t++) {
      if (stored[t] === expected[t - from]) continue;
      const [is, should] = [fromFloat16(stored[t]!), fromFloat16(expected[t - from]!)];
      found.add(
        offset + 2 * t,
        `token ${t} has the inverse norm ${is}, its code and residual give ${should}`,
      );
    }
  }
  if (deep) return found.all;
  for (let t = 0; t < tokens; t++) {
    const norm = fromFloat16(stored[t]!);
    if (!(norm > 0 && norm < Number.POSITIVE_INFINITY))
      found.add(offset + 2 * t, `token ${t} has the inverse norm ${norm}`);
  }
  return found.all;
}

function checkPostings(segment: Checked): Damage[] {
  const { file, compressed, offsets, passages, centroids, postingOffsets, postings } = segment;
  const lengths = Uint32Array.from({ length: passages }, (_, p) => offsets[p + 1]! - offsets[p]!);
  const expected = buildPostings(compressed.codes, lengths, centroids);
  const section = file.section("postings", 1);
  const found = new Found("posting lists that do not fit");
  for (let k = 0; k < centroids; k++) {
    const list = postings.subarray(postingOffsets[k]!, postingOffsets[k + 1]!);
    const should = expected.bytes.subarray(expected.offsets[k]!, expected.offsets[k + 1]!);
    if (Buffer.compare(list, should) === 0) continue;
    found.add(
      section.offset + postingOffsets[k]!,
      `the posting list of centroid ${k} is not the one of the codes`,
    );
  }
  return found.all;
}

function checkPassages({ file, numbers, documents, offsets }: Checked, facts: SegmentFacts): Damage[] {
  const places = {
    passage: file.section("passage", 4).offset,
    document: file.section("document", 4).offset,
    lengths: file.section("lengths", 4).offset,
  };
  const unknown = new Found("passages that the catalog does not know");
  const differing = new Found("passages that differ from the catalog");
  const missing = new Found("passages of the catalog that are missing");
  const deleted = new DeletedRanges(facts.deleted);
  let p = 0;
  const without = (end: number): void => {
    for (; p < numbers.length && numbers[p]! < end; p++) {
      if (deleted.holds(numbers[p]!, documents[p]!)) continue;
      unknown.add(
        places.passage + 4 * p,
        `passage ${numbers[p]} of document ${documents[p]} is not in the catalog`,
      );
    }
  };
  for (const { passageNo, documentNo, tokens, deleted: isDeleted } of facts.passages) {
    without(passageNo);
    if (numbers[p] !== passageNo) {
      // What was deleted may be gone already, and a passage without tokens need not be here.
      if (isDeleted || tokens === 0) continue;
      missing.add(places.passage + 4 * p, `passage ${passageNo} with ${tokens} tokens is missing`);
      continue;
    }
    if (documents[p] !== documentNo) {
      differing.add(
        places.document + 4 * p,
        `passage ${passageNo} belongs to document ${documents[p]}, in the catalog to ${documentNo}`,
      );
    }
    const length = offsets[p + 1]! - offsets[p]!;
    if (length !== tokens) {
      differing.add(
        places.lengths + 4 * p,
        `passage ${passageNo} has ${length} tokens, in the catalog ${tokens}`,
      );
    }
    p++;
  }
  without(Number.POSITIVE_INFINITY);
  return [...unknown.all, ...differing.all, ...missing.all];
}

/** Ascending ranges that are asked for ascending passages. */
class DeletedRanges {
  private at = 0;

  constructor(private readonly ranges: readonly DeletedPassages[]) {}

  holds(passageNo: number, documentNo: number): boolean {
    const { ranges } = this;
    while (
      this.at < ranges.length &&
      ranges[this.at]!.firstPassage + ranges[this.at]!.passages <= passageNo
    ) {
      this.at++;
    }
    const range = ranges[this.at];
    return range !== undefined && range.firstPassage <= passageNo && range.documentNo === documentNo;
  }
}
