/**
 * Verification of a segment's long sections just before they are read. Everything that a search touches is verified after
 * a while; from then on each call returns at once.
 */
import type { PassageOffsets } from "../kernels/backend.js";
import type { SectionFile, SectionGuard } from "../storage/section-file.js";

/**
 * Each of these throws CORRUPT naming the file, offset, what was expected and what was found. Entries `from` .. `to - 1` of
 * the list of passages count, all of them by default; a null list stands for all passages in order.
 */
export interface SegmentGuard {
  /** The codes of these passages. */
  ensureCodes(passages: Uint32Array | null, from?: number, to?: number): void;
  /** The codes, residuals and inverse norms of these passages. */
  ensureTokens(passages: Uint32Array | null, from?: number, to?: number): void;
  /** The posting lists of the first `count` of these centroids, all by default. */
  ensureLists(centroids: Uint32Array, count?: number): void;
  /**
   * Refuses a mapped file that no longer has its length. Once for each use of the segment: reading what a file no longer
   * holds would end the process.
   */
  checkMapped(): void;
}

const NORM_BYTES = 2;

/** What the guard must know of the segment. */
interface Layout {
  readonly passages: number;
  readonly tokens: number;
  readonly offsets: PassageOffsets;
  readonly compressed: { readonly codes: Uint16Array | Uint32Array; readonly residuals: Uint8Array };
  readonly postingOffsets: Uint32Array;
}

export function segmentGuard(file: SectionFile, layout: Layout): SegmentGuard {
  const { passages: total, tokens, offsets, compressed, postingOffsets } = layout;
  const codes = file.guard("codes");
  const norms = file.guard("norms");
  const residuals = file.guard("residual");
  const postings = file.guard("postings");
  const codeBytes = compressed.codes.BYTES_PER_ELEMENT;
  const residualBytes = tokens === 0 ? 0 : compressed.residuals.length / tokens;

  const ensure = (
    section: SectionGuard,
    bytes: number,
    passages: Uint32Array | null,
    from: number,
    to: number,
  ): void => {
    if (section.complete) return;
    if (passages === null) section.ensure(offsets[from]! * bytes, offsets[to]! * bytes);
    else section.ensureRows(offsets, bytes, passages, from, to);
  };

  return {
    ensureCodes(passages, from = 0, to = passages?.length ?? total) {
      ensure(codes, codeBytes, passages, from, to);
    },
    ensureTokens(passages, from = 0, to = passages?.length ?? total) {
      ensure(codes, codeBytes, passages, from, to);
      ensure(norms, NORM_BYTES, passages, from, to);
      ensure(residuals, residualBytes, passages, from, to);
    },
    ensureLists(centroids, count = centroids.length) {
      postings.ensureRows(postingOffsets, 1, centroids, 0, count);
    },
    checkMapped() {
      file.checkMapped();
    },
  };
}
