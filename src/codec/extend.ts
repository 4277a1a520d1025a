/**
 * Extension of a codec for tokens that it was not trained on. Its centroids stay as they are and keep their numbers, further
 * ones come after them, and the quantizer is the same: whatever was encoded with the codec decodes to the same bytes with
 * every extension of it, and posting lists of older segments end where their codes end.
 */
import { MaxsimError } from "../common/errors.js";
import { Random } from "../common/random.js";
import {
  type Codebook,
  DOCUMENT_BIAS,
  type KernelBackend,
  type QuantizedVectors,
} from "../kernels/backend.js";
import { clusterGroups, coarseKeys, MIN_MEMBERS } from "./cluster.js";
import { Codec } from "./codec.js";
import { CoverageMeter, NO_TOKEN_ID } from "./coverage.js";
import { describeGroups, groupByIdOrPlace, pickCoverage } from "./extension-groups.js";
import { planExtension } from "./extension-plan.js";
import { centroidRange, joinCentroids, pickVectors } from "./rows.js";
import { extendedTotal, MIN_TOKENS_TO_HOLD_OUT } from "./sample.js";
import { type TokenGroup, TokenGroups } from "./token-groups.js";

export interface ExtendInput {
  /** New token vectors: all uncovered ones or a sample of them; others count only when the codec is too small for the index. */
  readonly vectors: QuantizedVectors;
  /** Vocabulary id of each vector, `NO_TOKEN_ID` where it has none; null: none has. */
  readonly tokenIds: Uint32Array | null;
  readonly seed: number;
  /** Token vectors of the index with the new ones. */
  readonly tokens: number;
}

/**
 * An extension makes a new file of the whole codec, so it has this much more centroids at least. A codec that grows from one
 * centroid to 65,536 has 1,570 files in its life at most, 2.2 GB together at dimension 128.
 */
const MIN_GROWTH = 1 / 256;

/**
 * The codec with further centroids, or null when too few would be added. Each vocabulary id without centroids gets one, as
 * far as `extendedTotal` leaves room, the rest goes where residuals are long.
 *
 * No vector whose id has centroids in `codec` gets a centroid that it is less similar to, and no vector of the input does; where
 * the nearest of 8192 centroids or more is looked for, that holds but for what `CentroidCells` misses. The same input gives the
 * same bytes. A codec trained without ids ignores ids here as well. Errors: DIMENSION_MISMATCH.
 */
export function extendCodec(codec: Codec, input: ExtendInput, kernels: KernelBackend): Codec | null {
  const { seed, tokens } = input;
  if (input.tokenIds !== null && input.tokenIds.length !== input.vectors.count) {
    throw new MaxsimError("INTERNAL", `${input.tokenIds.length} ids for ${input.vectors.count} vectors`);
  }
  const known = codec.tokenGroups.tokenIds;
  const measured = new CoverageMeter(codec, kernels).measure(input.vectors, input.tokenIds);
  const fresh = new Set(input.tokenIds?.filter((_, i) => measured.unknown[i] === 1));
  const { size } = codec.codebook;
  const { total, behind } = extendedTotal(size, tokens, known.size, fresh.size);
  const chosen = Uint32Array.from(measured.uncovered.keys()).filter(
    (i) => behind || measured.uncovered[i] === 1,
  );
  if (total <= size || chosen.length === 0) return null;

  const random = new Random(seed);
  const minMembers = tokens < MIN_TOKENS_TO_HOLD_OUT ? 1 : MIN_MEMBERS;
  const vectors = pickVectors(input.vectors, chosen);
  const coverage = pickCoverage(measured, chosen);
  const ids = known.size === 0 ? null : input.tokenIds;
  const chosenIds = Uint32Array.from(chosen, (i) => ids?.[i] ?? NO_TOKEN_ID);
  const coarse = (part: QuantizedVectors): Uint32Array =>
    coarseKeys(part, total - size, minMembers, random, kernels);
  const { grouping, tokenIds } = groupByIdOrPlace(vectors, chosenIds, coarse);
  const groups = describeGroups(vectors, grouping, coverage);
  const counts = planExtension(groups, total - size, minMembers);
  const added = counts.reduce((sum, n) => sum + n, 0);
  if (added < Math.max(1, size * MIN_GROWTH)) return null;

  const further = clusterGroups(vectors, grouping, counts, random, kernels);
  const rows = [...codec.tokenGroups.groups];
  let first = 0;
  for (let g = 0; g < counts.length; g++) {
    const tokenId = tokenIds[g];
    const count = counts[g]!;
    if (tokenId !== undefined && count > 0) {
      rows.push({ tokenId, first: size + first, count });
      if (groups.fresh[g] === 1) {
        const members = grouping.members.subarray(grouping.starts[g]!, grouping.starts[g + 1]!);
        const own = centroidRange(further, first, first + count);
        rows.push(
          ...sharedCentroids(tokenId, vectors, members, coverage.codes, codec.codebook, own, kernels),
        );
      }
    }
    first += count;
  }
  rows.sort((a, b) => a.tokenId - b.tokenId || a.first - b.first);
  return new Codec(joinCentroids(codec.codebook, further), codec.quantizer, new TokenGroups(rows));
}

/**
 * A vector with an id that the codec does not know has the nearest of all centroids. Those that are nearer to one of `members`
 * than the id's `own` new ones belong to the id from now on: one range each, ascending.
 */
function sharedCentroids(
  tokenId: number,
  vectors: QuantizedVectors,
  members: Uint32Array,
  codes: Uint32Array,
  codebook: Codebook,
  own: Codebook,
  kernels: KernelBackend,
): TokenGroup[] {
  const nearest = new Uint32Array(members.length);
  kernels.assign(pickVectors(vectors, members), own, null, nearest);
  const shared = new Set<number>();
  members.forEach((i, m) => {
    const before = codes[i]!;
    if (similarity(vectors, i, codebook, before) > similarity(vectors, i, own, nearest[m]!))
      shared.add(before);
  });
  return [...shared].map((first) => ({ tokenId, first, count: 1 }));
}

/** What `KernelBackend.assign` compares. */
function similarity(vectors: QuantizedVectors, i: number, codebook: Codebook, code: number): number {
  const { dim } = vectors;
  let dot = 0;
  for (let d = 0; d < dim; d++) {
    dot += vectors.values[i * dim + d]! * (codebook.values[code * dim + d]! - DOCUMENT_BIAS);
  }
  return Math.fround(Math.fround(dot) * codebook.scales[code]!);
}
