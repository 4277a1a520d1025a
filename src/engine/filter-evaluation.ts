/** Which documents of a generation a filter means: conditions on columns where there are columns, in SQL elsewhere. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { throwIfAborted } from "../common/abort.js";
import type { Catalog } from "../documents/catalog.js";
import { DocumentSet } from "../documents/document-set.js";
import { conditionOnColumn, mismatchNote } from "../documents/filter/column-condition.js";
import { compileFilter } from "../documents/filter/compile-filter.js";
import { filterFields } from "../documents/filter/format-filter.js";
import type { Condition, Filter } from "../documents/filter/types.js";
import type { Snapshot } from "../documents/records.js";
import { type ColumnState, DOCUMENTS_AT_ONCE, FieldColumns } from "./field-columns.js";

export interface FilteredDocuments {
  readonly documents: DocumentSet;
  /** What is odd about the filter, one sentence each. */
  readonly notes: readonly string[];
  /** Fields that none of the documents has. */
  readonly missing: readonly string[];
}

/** 1 where a document is meant, else 0, in the order of the documents. */
type Meant = Uint8Array;

export class FilterEvaluation {
  private readonly columns: FieldColumns;

  /** @param documents numbers of live documents, ascending: filters are about these. */
  constructor(
    private readonly catalog: Catalog,
    private readonly snapshot: Snapshot,
    private readonly documents: Uint32Array,
  ) {
    this.columns = new FieldColumns(catalog, snapshot, documents);
  }

  /**
   * The same documents as by SQL. Others have their turn every few milliseconds meanwhile.
   * Errors: CORRUPT, IO, CLOSED, ABORTED.
   * @param filter as `checkFilter` or `parseFilter` gave it.
   */
  async evaluate(filter: Filter, signal: AbortSignal | undefined): Promise<FilteredDocuments> {
    // Every id is another one, and the catalog has an index of them.
    const fields = filterFields(filter).filter((field) => field !== "id");
    const columns = await this.columns.of(fields, signal);
    const run = new Run(this.catalog, this.snapshot, this.documents, columns, signal);
    const meant = await run.meant(filter);
    const missing = [...columns].filter(([, column]) => column !== "unfit" && column.kinds.size === 0);
    return {
      documents: DocumentSet.of(this.documents.filter((_, i) => meant[i] === 1)),
      notes: [...run.notes],
      missing: missing.map(([field]) => field),
    };
  }
}

class Run {
  readonly notes = new Set<string>();

  constructor(
    private readonly catalog: Catalog,
    private readonly snapshot: Snapshot,
    private readonly documents: Uint32Array,
    private readonly columns: ReadonlyMap<string, ColumnState>,
    private readonly signal: AbortSignal | undefined,
  ) {}

  async meant(filter: Filter): Promise<Meant> {
    switch (filter.op) {
      case "and":
      case "or": {
        const [first, ...others] = filter.filters;
        const meant = await this.meant(first!);
        for (const other of others) {
          const next = await this.meant(other);
          if (filter.op === "and") for (let i = 0; i < meant.length; i++) meant[i]! &= next[i]!;
          else for (let i = 0; i < meant.length; i++) meant[i]! |= next[i]!;
        }
        return meant;
      }
      case "not": {
        const meant = await this.meant(filter.filter);
        for (let i = 0; i < meant.length; i++) meant[i]! ^= 1;
        return meant;
      }
      default: {
        const column = this.columns.get(filter.field);
        if (column === undefined || column === "unfit") return this.bySql(filter);
        const note = mismatchNote(filter, column);
        if (note !== undefined) this.notes.add(note);
        const verdicts = conditionOnColumn(filter, column);
        const { codes } = column;
        const meant = new Uint8Array(codes.length);
        for (let i = 0; i < codes.length; i++) meant[i] = verdicts[codes[i]!]!;
        return meant;
      }
    }
  }

  private async bySql(condition: Condition): Promise<Meant> {
    const { documents } = this;
    const meant = new Uint8Array(documents.length);
    const { sql, parameters } = compileFilter(condition);
    const indexed = condition.field === "id" && (condition.op === "=" || condition.op === "in");
    const step = indexed ? documents.length : DOCUMENTS_AT_ONCE;
    for (let from = 0; from < documents.length; from += step) {
      if (from > 0) await nextTurn();
      throwIfAborted(this.signal, "the search");
      const to = Math.min(from + step, documents.length);
      const range = indexed ? [] : [documents[from]!, documents[to - 1]!];
      const found = this.catalog.matchingDocuments(this.snapshot, {
        sql: indexed ? sql : `documents.document_no BETWEEN ? AND ? AND ${sql}`,
        parameters: [...range, ...parameters],
      });
      let i = from;
      for (const no of found) {
        while (i < to && documents[i]! < no) i++;
        if (documents[i] === no) meant[i] = 1;
      }
    }
    return meant;
  }
}
