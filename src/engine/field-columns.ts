/** The columns of one generation: read from the catalog when a filter first asks for a field, and kept within bounds. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { throwIfAborted } from "../common/abort.js";
import { MaxsimError } from "../common/errors.js";
import type { Catalog } from "../documents/catalog.js";
import { type FieldColumn, FieldColumnBuilder } from "../documents/filter/field-column.js";
import { parseField } from "../documents/filter/field-names.js";
import type { Snapshot } from "../documents/records.js";
import { ByteCache } from "./byte-cache.js";

/** Documents read at a time: about 5 ms, between which other work has its turn. */
export const DOCUMENTS_AT_ONCE = 8192;
/** Fields read in one pass. */
const FIELDS_AT_ONCE = 8;
/** Bytes of all columns of a generation. */
const COLUMN_BYTES = 48 * 2 ** 20;

/** A column, or "unfit" for a field whose values are too long or too many to be kept in memory. */
export type ColumnState = FieldColumn | "unfit";

export class FieldColumns {
  private readonly cache = new ByteCache<ColumnState>(COLUMN_BYTES);

  /** @param documents numbers of the documents that columns are about, ascending. */
  constructor(
    private readonly catalog: Catalog,
    private readonly snapshot: Snapshot,
    private readonly documents: Uint32Array,
  ) {}

  /** Columns of the fields, by field. Errors: CORRUPT when a document is missing, ABORTED. */
  async of(fields: readonly string[], signal: AbortSignal | undefined): Promise<Map<string, ColumnState>> {
    const columns = new Map<string, ColumnState>();
    const unread: string[] = [];
    for (const field of fields) {
      const known = this.cache.get(field);
      if (known === undefined) unread.push(field);
      else columns.set(field, known);
    }
    for (let at = 0; at < unread.length; at += FIELDS_AT_ONCE) {
      const part = unread.slice(at, at + FIELDS_AT_ONCE);
      const read = await this.read(part, signal);
      part.forEach((field, i) => {
        const column = read[i]!;
        this.cache.set(field, column, column === "unfit" ? 0 : column.bytes);
        columns.set(field, column);
      });
    }
    return columns;
  }

  private async read(names: readonly string[], signal: AbortSignal | undefined): Promise<ColumnState[]> {
    const { documents } = this;
    const builders = names.map(() => new FieldColumnBuilder(documents.length, COLUMN_BYTES / 2));
    const unfit = new Set<number>();
    for (let from = 0; from < documents.length; from += DOCUMENTS_AT_ONCE) {
      if (from > 0) await nextTurn();
      throwIfAborted(signal, "the search");
      const to = Math.min(from + DOCUMENTS_AT_ONCE, documents.length);
      const wanted = names.flatMap((name, i) => (unfit.has(i) ? [] : [{ name, i }]));
      if (wanted.length === 0) break;
      const fields = wanted.map(({ name }) => parseField(name));
      const rows = this.catalog.fieldValues(this.snapshot, fields, documents[from]!, documents[to - 1]!);
      const ordinals = this.ordinalsOf(rows.documents, from, to);
      wanted.forEach(({ i }, w) => {
        const values = rows.values[w]!;
        const builder = builders[i]!;
        if (values !== null) builder.set(ordinals, values);
        if (values === null || !builder.fits) unfit.add(i);
      });
    }
    return builders.map((builder, i) =>
      unfit.has(i) ? "unfit" : builder.finish(`${this.catalog.path}: the field ${names[i]}`),
    );
  }

  /** Places in `documents`, -1 for those that are not among them, such as deleted ones. */
  private ordinalsOf(numbers: readonly number[], from: number, to: number): Int32Array {
    const ordinals = new Int32Array(numbers.length);
    let next = from;
    numbers.forEach((no, row) => {
      if (next < to && this.documents[next]! < no) throw this.missing(next);
      ordinals[row] = next < to && this.documents[next] === no ? next++ : -1;
    });
    if (next < to) throw this.missing(next);
    return ordinals;
  }

  private missing(ordinal: number): MaxsimError {
    return new MaxsimError(
      "CORRUPT",
      `${this.catalog.path} is damaged: document ${this.documents[ordinal]}, which a segment names, is missing`,
      { hint: "Run maxsim verify to learn what is damaged, and maxsim repair." },
    );
  }
}
