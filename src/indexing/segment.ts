/** A segment as search uses it: typed views of its file, which is read into memory or mapped. */
import { codeBytes } from "../codec/code-bytes.js";
import type { Codec } from "../codec/codec.js";
import { MaxsimError } from "../common/errors.js";
import type { CompressedTokens, PassageOffsets } from "../kernels/backend.js";
import { corruptFile } from "../storage/corrupt-file.js";
import type { SectionFile } from "../storage/section-file.js";
import { type SegmentGuard, segmentGuard } from "./segment-guard.js";

/** Buffers are shared between threads and never written. What `SegmentGuard` names is ensured before it is read. */
export interface Segment extends SegmentData, SegmentGuard {
  /** The file that the arrays lie in; null for a segment made in memory. */
  readonly file: SectionFile | null;
}

export interface SegmentData {
  /** File name, for messages. */
  readonly name: string;
  readonly passages: number;
  readonly tokens: number;
  /** u32 `[passages]`: number of each passage, ascending. */
  readonly numbers: Uint32Array;
  /** Centroids of the codec that the segment was written with; codes are below. */
  readonly centroids: number;
  readonly offsets: PassageOffsets;
  /** u32 `[passages]`: document number of each passage; a document's passages lie side by side. */
  readonly documents: Uint32Array;
  readonly compressed: CompressedTokens;
  /**
   * u32 `[K + 1]` byte offsets into `postings`, for the K centroids of the codec that is searched with: those that an
   * extension added after the segment was written have empty lists.
   */
  readonly postingOffsets: Uint32Array;
  readonly postings: Uint8Array;
  /** 1 for passages of deleted documents; null when there are none. */
  readonly dead: Uint8Array | null;
  /** Ascending ordinals of the passages that are not deleted; null when all are live. */
  readonly live: Uint32Array | null;
}

/** What the catalog says of the segment. */
export interface SegmentIdentity {
  readonly firstPassage: number;
  readonly lastPassage: number;
  readonly passages: number;
  readonly tokens: number;
  /** Centroids of the codec that the segment was written with: that of the index or one that it extends. */
  readonly centroids: number;
}

/** Sections that are verified at open; the others are long and verified where they are read. */
const SMALL_SECTIONS = ["info", "lengths", "passage", "document", "postoff"];

/**
 * Checks that the sections agree with each other, with the codec and with the catalog; CORRUPT naming the file
 * otherwise. Codes are checked here when the whole file was verified, otherwise by the kernels that read them. Ranges of
 * deleted passages are (first passage number, count).
 */
export function decodeSegment(
  file: SectionFile,
  codec: Codec,
  identity: SegmentIdentity,
  deleted: readonly (readonly [number, number])[],
): Segment {
  for (const tag of SMALL_SECTIONS) file.ensure(tag);
  if (identity.centroids > codec.codebook.size) {
    throw new MaxsimError(
      "CORRUPT",
      `${file.path}: it was written for ${identity.centroids} centroids, the codec has ${codec.codebook.size}`,
    );
  }
  checkInfo(file, codec, identity);
  const { centroids } = identity;
  const views = sectionViews(file, centroids);
  const lengths = file.u32("lengths");
  const { codes, inverseNorms, residuals } = views.compressed;
  const sizes: Array<[string, number, number]> = [
    ["lengths", lengths.length, identity.passages],
    ["passage", views.numbers.length, identity.passages],
    ["document", views.documents.length, identity.passages],
    ["codes", codes.length, identity.tokens],
    ["norms", inverseNorms.length, identity.tokens],
    ["residual", residuals.length, identity.tokens * codec.residualBytes],
    ["postoff", views.postingOffsets.length, centroids + 1],
  ];
  for (const [tag, found, expected] of sizes) {
    if (found !== expected) {
      throw new MaxsimError(
        "CORRUPT",
        `${file.path}: section ${tag} has ${found} elements, expected ${expected}`,
      );
    }
  }
  if (file.verifiedWhole) {
    checkCodes(file.path, codes, centroids);
    checkNorms(file.path, inverseNorms);
  }
  checkPostingOffsets(file.path, views.postingOffsets, views.postings.length);
  checkNumbers(file.path, views.numbers, identity);
  const offsets = passageOffsets(file.path, lengths, identity.tokens);
  const { passages, tokens } = identity;
  const postingOffsets = extendOffsets(views.postingOffsets, codec.codebook.size);
  const data = { name: file.path, passages, tokens, centroids, offsets, ...views, postingOffsets };
  return guarded(file, { ...data, ...deletions(views.numbers, deleted) });
}

/** The large arrays of a segment, in place. CORRUPT when a section is missing or has elements of another size. */
export function sectionViews(
  file: SectionFile,
  centroids: number,
): Pick<SegmentData, "numbers" | "documents" | "compressed" | "postingOffsets" | "postings"> {
  return {
    numbers: file.u32("passage"),
    documents: file.u32("document"),
    compressed: {
      codes: codeBytes(centroids) === 2 ? file.u16("codes") : file.u32("codes"),
      residuals: file.u8("residual"),
      inverseNorms: file.u16("norms"),
    },
    postingOffsets: file.u32("postoff"),
    postings: file.u8("postings"),
  };
}

/** The offsets of lists for `centroids` centroids: the further ones have nothing in this segment. */
function extendOffsets(offsets: Uint32Array, centroids: number): Uint32Array {
  if (offsets.length === centroids + 1) return offsets;
  const extended = new Uint32Array(new SharedArrayBuffer(4 * (centroids + 1)));
  extended.set(offsets);
  extended.fill(offsets.at(-1)!, offsets.length);
  return extended;
}

/** The segment of a file whose data were checked. */
export function guarded(file: SectionFile, data: SegmentData): Segment {
  return { ...data, file, ...segmentGuard(file, data) };
}

/** A segment that was made in memory: there is nothing to verify. */
export function segmentInMemory(data: SegmentData): Segment {
  return {
    ...data,
    file: null,
    ensureCodes() {},
    ensureTokens() {},
    ensureLists() {},
    checkMapped() {},
  };
}

function checkInfo(file: SectionFile, codec: Codec, identity: SegmentIdentity): void {
  const info = file.u32("info");
  const stated: Array<[string, number | undefined, number]> = [
    ["passages", info[0], identity.passages],
    ["dimension", info[1], codec.dim],
    ["bits a dimension", info[2], codec.quantizer.nbits],
    ["centroids", info[3], identity.centroids],
    ["bytes a code", info[4], codeBytes(identity.centroids)],
    ["tokens (low half)", info[5], identity.tokens % 2 ** 32],
    ["tokens (high half)", info[6], Math.floor(identity.tokens / 2 ** 32)],
  ];
  const { offset } = file.section("info", 4);
  for (const [what, found, expected] of stated) {
    if (found !== expected) throw corruptFile(file.path, offset, `${expected} ${what}`, `${found}`);
  }
}

function checkNumbers(path: string, numbers: Uint32Array, identity: SegmentIdentity): void {
  for (let p = 1; p < numbers.length; p++) {
    if (numbers[p]! <= numbers[p - 1]!)
      throw new MaxsimError("CORRUPT", `${path}: the number of passage ${p} does not ascend`);
  }
  const [first, last] = [numbers[0], numbers.at(-1)];
  if (first === identity.firstPassage && last === identity.lastPassage) return;
  throw new MaxsimError(
    "CORRUPT",
    `${path}: passages are numbered ${first} to ${last}, expected ${identity.firstPassage} to ${identity.lastPassage}`,
  );
}

function passageOffsets(path: string, lengths: Uint32Array, tokens: number): Uint32Array {
  const offsets = new Uint32Array(new SharedArrayBuffer((lengths.length + 1) * 4));
  let sum = 0;
  for (let p = 0; p < lengths.length; p++) {
    sum += lengths[p]!;
    offsets[p + 1] = sum;
  }
  if (sum !== tokens)
    throw new MaxsimError("CORRUPT", `${path}: passage lengths sum to ${sum}, expected ${tokens}`);
  return offsets;
}

function checkCodes(path: string, codes: Uint16Array | Uint32Array, centroids: number): void {
  for (let t = 0; t < codes.length; t++) {
    if (codes[t]! >= centroids) {
      throw new MaxsimError(
        "CORRUPT",
        `${path}: token ${t} has code ${codes[t]}, there are ${centroids} centroids`,
      );
    }
  }
}

/** Inverse norms are positive and finite: binary16 from 0001 to 7BFF. */
function checkNorms(path: string, norms: Uint16Array): void {
  for (let t = 0; t < norms.length; t++) {
    if (norms[t]! - 1 >= 0x7bff || norms[t] === 0)
      throw new MaxsimError("CORRUPT", `${path}: the inverse norm of token ${t} is not a positive number`);
  }
}

function checkPostingOffsets(path: string, offsets: Uint32Array, bytes: number): void {
  for (let k = 1; k < offsets.length; k++) {
    if (offsets[k]! < offsets[k - 1]!)
      throw new MaxsimError("CORRUPT", `${path}: posting list ${k - 1} ends early`);
  }
  if (offsets[0] !== 0 || offsets[offsets.length - 1] !== bytes) {
    throw new MaxsimError("CORRUPT", `${path}: posting lists do not cover their section of ${bytes} bytes`);
  }
}

/** The same segment as another generation sees it: with its deletions, and its codec where that was extended. */
export function inGeneration(
  segment: Segment,
  codec: Codec,
  deleted: readonly (readonly [number, number])[],
): Segment {
  const postingOffsets = extendOffsets(segment.postingOffsets, codec.codebook.size);
  const seen = { ...segment, ...deletions(segment.numbers, deleted) };
  if (postingOffsets === segment.postingOffsets) return seen;
  const extended = { ...seen, postingOffsets };
  return segment.file === null ? extended : guarded(segment.file, extended);
}

/** Ordinal of the passage with that number, or of the first one with a higher number. */
export function ordinalOf(numbers: Uint32Array, passageNo: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (numbers[middle]! < passageNo) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A passage of a segment. */
export interface PassagePlace {
  readonly segment: Segment;
  readonly ordinal: number;
}

/** Where the passage with that number is, dead or live; undefined when no segment has it. */
export function placeOfPassage(segments: Iterable<Segment>, passageNo: number): PassagePlace | undefined {
  for (const segment of segments) {
    const ordinal = ordinalOf(segment.numbers, passageNo);
    if (segment.numbers[ordinal] === passageNo) return { segment, ordinal };
  }
  return undefined;
}

function deletions(
  numbers: Uint32Array,
  deleted: readonly (readonly [number, number])[],
): Pick<Segment, "dead" | "live"> {
  let dead: Uint8Array | null = null;
  const last = numbers.at(-1) ?? -1;
  for (const [first, count] of deleted) {
    if (first > last || first + count <= numbers[0]!) continue;
    const from = ordinalOf(numbers, first);
    const to = ordinalOf(numbers, first + count);
    if (from >= to) continue;
    dead ??= new Uint8Array(new SharedArrayBuffer(numbers.length));
    dead.fill(1, from, to);
  }
  return { dead, live: dead === null ? null : liveOrdinals(dead) };
}

function liveOrdinals(dead: Uint8Array): Uint32Array {
  let count = 0;
  for (let p = 0; p < dead.length; p++) if (dead[p] === 0) count++;
  const live = new Uint32Array(new SharedArrayBuffer(4 * count));
  for (let p = 0, i = 0; p < dead.length; p++) if (dead[p] === 0) live[i++] = p;
  return live;
}
