/** What the options of `maxsim search` ask of the engine. */
import { formatFilter } from "../documents/filter/format-filter.js";
import type { Filter } from "../documents/filter/types.js";
import type { SearchOptions } from "../engine/options.js";
import type { SearchCommandOptions } from "./commands/search.js";
import { pathFilter } from "./path-option.js";

export interface Ranking extends Pick<SearchOptions, "effort" | "mode" | "fusion" | "syntax" | "rerank"> {
  readonly k: number;
  readonly filter?: Filter;
}

/**
 * Options of the ranking; those of the output are the caller's. Errors: INVALID_FILTER.
 * @param since what `--since` means for the index (since-filter.ts).
 */
export function searchOptions(options: SearchCommandOptions, since?: Filter): Ranking {
  const { k, effort, mode, alpha, fusion, plain } = options;
  const filter = searchFilter(options, since);
  const fused = {
    ...(fusion === undefined ? {} : { method: fusion }),
    ...(alpha === undefined ? {} : { alpha }),
  };
  return {
    k,
    ...(effort === undefined ? {} : { effort }),
    ...(mode === undefined ? {} : { mode }),
    ...(Object.keys(fused).length === 0 ? {} : { fusion: fused }),
    ...(filter === undefined ? {} : { filter }),
    ...(plain === true ? { syntax: "plain" } : {}),
  };
}

/** `--filter`, `--since` and any of the `--path`, all at once. */
function searchFilter({ filter, path }: SearchCommandOptions, since: Filter | undefined): Filter | undefined {
  const paths = (path ?? []).map((pattern) => pathFilter(pattern));
  const filters = [
    ...(filter === undefined ? [] : [filter]),
    ...joined("or", paths),
    ...(since === undefined ? [] : [since]),
  ];
  return joined("and", filters)[0];
}

/** Which documents are meant, in words. */
export function conditionWords({ filter, path, since }: SearchCommandOptions): string[] {
  return [
    ...(filter === undefined ? [] : [`where ${formatFilter(filter)}`]),
    ...(path === undefined ? [] : [`from ${path.join(" or ")}`]),
    ...(since === undefined ? [] : [`since ${since.replace(/T00:00:00\.000Z$/, "")}`]),
  ];
}

function joined(op: "and" | "or", filters: readonly Filter[]): Filter[] {
  const [first] = filters;
  if (first === undefined) return [];
  return [filters.length === 1 ? first : { op, filters }];
}
