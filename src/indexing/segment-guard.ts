/**
 * Verification of a segment's long sections just before they are read. Everything that a search touches is verified after
 * a while; from then on each call returns at once.
 */
import type { PassageOffsets } from "../kernels/backend.js";
import type { SectionFile } from "../storage/section-file.js";

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

  const ensureCodeRange = (first: number, end: number): void => {
    codes.ensure(first * codeBytes, end * codeBytes);
  };
  const ensureTokenRange = (first: number, end: number): void => {
    codes.ensure(first * codeBytes, end * codeBytes);
    norms.ensure(first * 2, end * 2);
    residuals.ensure(first * residualBytes, end * residualBytes);
  };
  const forPassages = (
    passages: Uint32Array | null,
    from: number,
    to: number,
    ensure: (firstToken: number, endToken: number) => void,
  ): void => {
    if (passages === null) {
      ensure(offsets[from]!, offsets[to]!);
      return;
    }
    for (let i = from; i < to; i++) {
      const passage = passages[i]!;
      // Kernels refuse passages that do not exist.
      if (passage < total) ensure(offsets[passage]!, offsets[passage + 1]!);
    }
  };

  return {
    ensureCodes(passages, from = 0, to = passages?.length ?? total) {
      if (!codes.complete) forPassages(passages, from, to, ensureCodeRange);
    },
    ensureTokens(passages, from = 0, to = passages?.length ?? total) {
      if (codes.complete && norms.complete && residuals.complete) return;
      forPassages(passages, from, to, ensureTokenRange);
    },
    ensureLists(centroids, count = centroids.length) {
      if (postings.complete) return;
      for (let i = 0; i < count; i++) {
        const centroid = centroids[i]!;
        if (centroid + 1 < postingOffsets.length) {
          postings.ensure(postingOffsets[centroid]!, postingOffsets[centroid + 1]!);
        }
      }
    },
    checkMapped() {
      file.checkMapped();
    },
  };
}
