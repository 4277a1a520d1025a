/** The columns of one generation: read from the catalog when a filter first asks for a field, and kept within bounds. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { throwIfAborted } from "../common/abort.js";
import { MaxsimError } from "../common/errors.js";
import type { Catalog } from "../documents/catalog.js";
import { type FieldColumn, FieldColumnBuilder } from "../documents/filter/field-column.js";
import { parseField } from "../documents/filter/field-names.js";
import type { Snapshot } from "../documents/records.js";
import { ByteCache } from "./byte-cache.js";

/** Fields read in one pass. */
const FIELDS_AT_ONCE = 8;
/** Bytes of all columns of a generation. */
const COLUMN_BYTES = 48 * 2 ** 20;

/** A column, or "unfit" for a field whose values are too long or too many to be kept in memory. */
export type ColumnState = FieldColumn | "unfit";

/** What filters of one generation are about. */
export interface FilterableDocuments {
  readonly catalog: Catalog;
  readonly snapshot: Snapshot;
  /** Numbers of live documents, ascending. */
  readonly numbers: Uint32Array;
  /** Documents that are looked at in one go; between two of them other work has its turn. */
  readonly atOnce: number;
}

export class FieldColumns {
  private readonly cache = new ByteCache<ColumnState>(COLUMN_BYTES);

  constructor(private readonly over: FilterableDocuments) {}

  /**
   * The column of a field. Errors: CORRUPT when a document is missing, ABORTED.
   * @param soon fields that will be asked for soon: a few of them are read in the same pass.
   */
  async of(field: string, soon: readonly string[], signal: AbortSignal | undefined): Promise<ColumnState> {
    const known = this.cache.get(field);
    if (known !== undefined) return known;
    const others = new Set(soon.filter((other) => other !== field && this.cache.get(other) === undefined));
    const names = [field, ...[...others].slice(0, FIELDS_AT_ONCE - 1)];
    const read = await this.read(names, signal);
    names.forEach((name, i) => {
      const column = read[i]!;
      this.cache.set(name, column, column === "unfit" ? 0 : column.bytes);
    });
    return read[0]!;
  }

  private async read(names: readonly string[], signal: AbortSignal | undefined): Promise<ColumnState[]> {
    const { catalog, snapshot, numbers, atOnce } = this.over;
    const builders = names.map(() => new FieldColumnBuilder(numbers.length, COLUMN_BYTES / 2));
    const unfit = new Set<number>();
    for (let from = 0; from < numbers.length; from += atOnce) {
      if (from > 0) await nextTurn();
      throwIfAborted(signal, "the search");
      const to = Math.min(from + atOnce, numbers.length);
      const wanted = names.flatMap((name, i) => (unfit.has(i) ? [] : [{ name, i }]));
      if (wanted.length === 0) break;
      const fields = wanted.map(({ name }) => parseField(name));
      const rows = catalog.fieldValues(snapshot, fields, numbers[from]!, numbers[to - 1]!);
      const ordinals = this.ordinalsOf(rows.documents, from, to);
      wanted.forEach(({ i }, w) => {
        const values = rows.values[w]!;
        const builder = builders[i]!;
        if (values !== null) builder.set(ordinals, values);
        if (values === null || !builder.fits) unfit.add(i);
      });
    }
    return builders.map((builder, i) =>
      unfit.has(i) ? "unfit" : builder.finish(`${catalog.path}: the field ${names[i]}`),
    );
  }

  /** Places in `over.numbers`, -1 for those that are not among them, such as deleted ones. */
  private ordinalsOf(found: readonly number[], from: number, to: number): Int32Array {
    const { numbers } = this.over;
    const ordinals = new Int32Array(found.length);
    let next = from;
    found.forEach((no, row) => {
      if (next < to && numbers[next]! < no) throw this.missing(next);
      ordinals[row] = next < to && numbers[next] === no ? next++ : -1;
    });
    if (next < to) throw this.missing(next);
    return ordinals;
  }

  private missing(ordinal: number): MaxsimError {
    const { catalog, numbers } = this.over;
    return new MaxsimError(
      "CORRUPT",
      `${catalog.path} is damaged: document ${numbers[ordinal]}, which a segment names, is missing`,
      { hint: "Run maxsim verify to learn what is damaged, and maxsim repair." },
    );
  }
}
