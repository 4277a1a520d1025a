/**
 * What filters leave of a generation. A filter that comes again costs nothing, another one over the same fields a fraction of
 * a millisecond for 100,000 documents, and the first one over a field the reading of that field.
 */
import { throwIfAborted } from "../common/abort.js";
import type { Catalog } from "../documents/catalog.js";
import { filterConditions } from "../documents/filter/format-filter.js";
import type { Filter } from "../documents/filter/types.js";
import type { SearchSnapshot } from "../search/types.js";
import { ByteCache } from "./byte-cache.js";
import { FilterEvaluation } from "./filter-evaluation.js";
import { type FilterArgument, readFilter } from "./filtering.js";
import type { LoadedSnapshot } from "./load-snapshot.js";
import { Restriction } from "./restriction.js";
import { unknownFieldError, unknownFieldSentence, unknownFieldsOf } from "./unknown-fields.js";

export interface Filtered {
  readonly restriction: Restriction;
  /** What is odd about the filter, one sentence each. */
  readonly notes: readonly string[];
}

/** Bytes of what is kept of the filters of one generation. */
const KEPT_BYTES = 32 * 2 ** 20;

/** About 5 ms. */
const DOCUMENTS_AT_ONCE = 8192;

/** Kept as long as the generation is in use. */
const generations = new WeakMap<LoadedSnapshot, GenerationFilters>();

/**
 * The live documents that match, for searching. Null for an index without token vectors, where nothing is found.
 * Errors: INVALID_FILTER naming the place, or a field that no document has (`exists` may ask for one); ABORTED, CORRUPT, IO.
 */
export async function filterDocuments(
  { catalog, loaded }: { readonly catalog: Catalog; readonly loaded: LoadedSnapshot },
  argument: FilterArgument,
  signal?: AbortSignal,
): Promise<Filtered | null> {
  const filter = readFilter(argument);
  throwIfAborted(signal, "the search");
  if (loaded.search === null) return null;
  let filters = generations.get(loaded);
  if (filters === undefined) {
    filters = new GenerationFilters(catalog, loaded, loaded.search);
    generations.set(loaded, filters);
  }
  return filters.filtered(filter, signal);
}

class GenerationFilters {
  private readonly kept = new ByteCache<Filtered>(KEPT_BYTES);
  private readonly evaluation: FilterEvaluation;
  /** The last evaluation that was begun: they run one after another, so that equal ones are done once. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly catalog: Catalog,
    private readonly loaded: LoadedSnapshot,
    private readonly base: SearchSnapshot,
  ) {
    this.evaluation = new FilterEvaluation({
      catalog,
      snapshot: loaded.catalog,
      numbers: liveDocuments(base),
      atOnce: DOCUMENTS_AT_ONCE,
    });
  }

  async filtered(filter: Filter, signal: AbortSignal | undefined): Promise<Filtered> {
    const key = JSON.stringify(filter);
    const known = this.kept.get(key);
    if (known !== undefined) return known;
    const evaluate = async (): Promise<Filtered> => this.kept.get(key) ?? this.evaluate(filter, key, signal);
    // What failed before is the affair of whoever asked for it.
    const next = this.last.then(evaluate, evaluate);
    this.last = next;
    return next;
  }

  private async evaluate(filter: Filter, key: string, signal: AbortSignal | undefined): Promise<Filtered> {
    throwIfAborted(signal, "the search");
    const { documents, notes, missing } = await this.evaluation.evaluate(filter, signal);
    const found = {
      restriction: new Restriction(this.base, documents),
      notes: [...notes, ...this.notesOfUnknown(filter, missing)],
    };
    this.kept.set(key, found, found.restriction.bytes);
    return found;
  }

  /** To ask whether a field exists is no mistake when it does not; to compare with it is one. */
  private notesOfUnknown(filter: Filter, missing: readonly string[]): string[] {
    const snapshot = this.loaded.catalog;
    const unknown = missing.length === 0 ? [] : unknownFieldsOf(this.catalog, snapshot, missing);
    const compared = new Set(
      filterConditions(filter).flatMap(({ op, field }) => (op === "exists" ? [] : [field])),
    );
    const wrong = unknown.find(({ field }) => compared.has(field));
    if (wrong !== undefined) throw unknownFieldError(this.catalog, snapshot, wrong);
    return unknown.map(unknownFieldSentence);
  }
}

/** Numbers of the documents with live passages, ascending. */
function liveDocuments({ segments }: SearchSnapshot): Uint32Array {
  const room = segments.reduce((sum, { live, passages }) => sum + (live?.length ?? passages), 0);
  const numbers = new Uint32Array(room);
  let count = 0;
  for (const { live, passages, documents } of segments) {
    const remaining = live?.length ?? passages;
    for (let i = 0; i < remaining; i++) {
      const no = documents[live === null ? i : live[i]!]!;
      if (count === 0 || numbers[count - 1] !== no) numbers[count++] = no;
    }
  }
  const found = numbers.slice(0, count);
  // Passages and documents are numbered side by side, which nothing here should have to rely on.
  const ascending = found.every((no, i) => i === 0 || found[i - 1]! < no);
  return ascending ? found : Uint32Array.from(new Set(found)).sort();
}
