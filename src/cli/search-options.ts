/** What the options of `maxsim search` ask of the engine. */
import type { Filter } from "../documents/filter/types.js";
import type { SearchOptions } from "../engine/options.js";
import type { SearchCommandOptions } from "./commands/search.js";
import { pathFilter } from "./path-option.js";
import { sinceFilter } from "./since-option.js";

interface Ranking extends Pick<SearchOptions, "effort" | "mode" | "fusion" | "syntax"> {
  readonly k: number;
  readonly filter?: Filter;
}

/** Options of the ranking; those of the output are the caller's. Errors: INVALID_FILTER. */
export function searchOptions(options: SearchCommandOptions): Ranking {
  const { k, effort, mode, alpha, fusion, plain } = options;
  const filter = searchFilter(options);
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
export function searchFilter({ filter, path, since }: SearchCommandOptions): Filter | undefined {
  const paths = (path ?? []).map((pattern) => pathFilter(pattern));
  const filters = [
    ...(filter === undefined ? [] : [filter]),
    ...joined("or", paths),
    ...(since === undefined ? [] : [sinceFilter(since)]),
  ];
  return joined("and", filters)[0];
}

function joined(op: "and" | "or", filters: readonly Filter[]): Filter[] {
  const [first] = filters;
  if (first === undefined) return [];
  return [filters.length === 1 ? first : { op, filters }];
}
