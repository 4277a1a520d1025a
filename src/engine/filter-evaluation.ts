/** Which documents of a generation a filter means: conditions on columns where there are columns, in SQL elsewhere. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { throwIfAborted } from "../common/abort.js";
import { DocumentSet } from "../documents/document-set.js";
import { conditionOnColumn, mismatchNote } from "../documents/filter/column-condition.js";
import { compileFilter } from "../documents/filter/compile-filter.js";
import { isTextField } from "../documents/filter/fields.js";
import { filterConditions } from "../documents/filter/format-filter.js";
import type { Condition, Filter } from "../documents/filter/types.js";
import { FieldColumns, type FilterableDocuments } from "./field-columns.js";

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

  constructor(private readonly over: FilterableDocuments) {
    this.columns = new FieldColumns(over);
  }

  /**
   * The same documents as by SQL. Others have their turn every few milliseconds meanwhile.
   * Errors: CORRUPT, IO, CLOSED, ABORTED.
   * @param filter as `checkFilter` or `parseFilter` gave it.
   */
  async evaluate(filter: Filter, signal: AbortSignal | undefined): Promise<FilteredDocuments> {
    const fields = filterConditions(filter)
      .filter(hasColumn)
      .map((condition) => condition.field);
    const run = new Run(this.over, this.columns, fields, signal);
    const meant = await run.meant(filter);
    return {
      documents: DocumentSet.of(this.over.numbers.filter((_, i) => meant[i] === 1)),
      notes: [...run.notes],
      missing: [...run.missing],
    };
  }
}

/**
 * Conditions on id, title and url are quick in SQL, which reads no JSON for them, and there is hardly a value that comes twice.
 * Patterns are not: they call out of SQL for every document, while documents share paths.
 */
function hasColumn({ op, field }: Condition): boolean {
  return !isTextField(field) || (op === "glob" && field !== "id");
}

/** The ids that a condition asks for one by one. */
function idsOf(condition: Condition): string[] | undefined {
  if (condition.field !== "id") return undefined;
  const values =
    condition.op === "=" ? [condition.value] : condition.op === "in" ? condition.values : undefined;
  return values?.filter((value) => typeof value === "string");
}

class Run {
  readonly notes = new Set<string>();
  readonly missing = new Set<string>();

  constructor(
    private readonly over: FilterableDocuments,
    private readonly columns: FieldColumns,
    private readonly fields: readonly string[],
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
      default:
        return this.byColumn(filter);
    }
  }

  private async byColumn(condition: Condition): Promise<Meant> {
    const { field } = condition;
    const column = hasColumn(condition) ? await this.columns.of(field, this.fields, this.signal) : "unfit";
    if (column === "unfit") return this.bySql(condition);
    if (column.kinds.size === 0) this.missing.add(field);
    const note = mismatchNote(condition, column);
    if (note !== undefined) this.notes.add(note);
    const verdicts = conditionOnColumn(condition, column);
    const { codes } = column;
    const meant = new Uint8Array(codes.length);
    for (let i = 0; i < codes.length; i++) meant[i] = verdicts[codes[i]!]!;
    return meant;
  }

  private async bySql(condition: Condition): Promise<Meant> {
    const { catalog, snapshot, numbers, atOnce } = this.over;
    const meant = new Uint8Array(numbers.length);
    const ids = idsOf(condition);
    if (ids !== undefined) {
      const found = [...catalog.numbersOf(ids, snapshot).values()].sort((a, b) => a - b);
      this.mark(found, meant, 0, numbers.length);
      return meant;
    }
    const { sql, parameters } = compileFilter(condition);
    for (let from = 0; from < numbers.length; from += atOnce) {
      if (from > 0) await nextTurn();
      throwIfAborted(this.signal, "the search");
      const to = Math.min(from + atOnce, numbers.length);
      const found = catalog.matchingDocuments(snapshot, {
        sql: `documents.document_no BETWEEN ? AND ? AND ${sql}`,
        parameters: [numbers[from]!, numbers[to - 1]!, ...parameters],
      });
      this.mark(found, meant, from, to);
    }
    return meant;
  }

  /** Marks those of the numbers, ascending, that are at the places `from` .. `to - 1`. */
  private mark(found: readonly number[], meant: Meant, from: number, to: number): void {
    const { numbers } = this.over;
    let i = from;
    for (const no of found) {
      while (i < to && numbers[i]! < no) i++;
      if (i < to && numbers[i] === no) meant[i] = 1;
    }
  }
}
