/** The groups in which an extension of a codec clusters new token vectors. */
import type { QuantizedVectors } from "../kernels/backend.js";
import { type Coverage, NO_TOKEN_ID } from "./coverage.js";
import type { ExtensionGroups } from "./extension-plan.js";
import { type Grouping, groupBy, groupVariances } from "./groups.js";
import { pickVectors } from "./rows.js";

/** The measures of the vectors `chosen[0]`, `chosen[1]`, ... */
export function pickCoverage(
  { codes, energies, unknown, uncovered }: Coverage,
  chosen: Uint32Array,
): Coverage {
  return {
    codes: Uint32Array.from(chosen, (i) => codes[i]!),
    energies: Float64Array.from(chosen, (i) => energies[i]!),
    unknown: Uint8Array.from(chosen, (i) => unknown[i]!),
    uncovered: Uint8Array.from(chosen, (i) => uncovered[i]!),
  };
}

/** Groups by vocabulary id, ascending, and then of vectors without one by place. `tokenIds`: those of the first groups. */
export function groupByIdOrPlace(
  vectors: QuantizedVectors,
  ids: Uint32Array,
  coarse: (part: QuantizedVectors) => Uint32Array,
): { grouping: Grouping; tokenIds: Uint32Array } {
  const tokenIds = Uint32Array.from(new Set(ids.filter((id) => id !== NO_TOKEN_ID))).sort();
  const ranks = new Map(Array.from(tokenIds, (tokenId, rank) => [tokenId, rank] as const));
  const keys = Uint32Array.from(ids, (id) => ranks.get(id) ?? 0);
  const without = Uint32Array.from(ids.keys()).filter((i) => ids[i] === NO_TOKEN_ID);
  if (without.length > 0) {
    coarse(pickVectors(vectors, without)).forEach((key, n) => {
      keys[without[n]!] = tokenIds.length + key;
    });
  }
  return { grouping: groupBy(keys), tokenIds };
}

/** What `planExtension` wants to know of the groups. */
export function describeGroups(
  vectors: QuantizedVectors,
  grouping: Grouping,
  coverage: Coverage,
): ExtensionGroups {
  const { keys, starts, members } = grouping;
  const variances = groupVariances(vectors, grouping);
  const sizes = Uint32Array.from(keys, (_, g) => starts[g + 1]! - starts[g]!);
  const fresh = new Uint8Array(keys.length);
  const uncovered = new Uint8Array(keys.length);
  const spreads = new Float64Array(keys.length);
  for (let g = 0; g < keys.length; g++) {
    let energy = 0;
    for (let m = starts[g]!; m < starts[g + 1]!; m++) {
      const i = members[m]!;
      energy += coverage.energies[i]!;
      uncovered[g] = uncovered[g]! | coverage.uncovered[i]!;
    }
    fresh[g] = coverage.unknown[members[starts[g]!]!]!;
    spreads[g] = fresh[g] === 1 ? variances[g]! : energy / sizes[g]!;
  }
  return { sizes, fresh, uncovered, spreads };
}
