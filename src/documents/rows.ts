/** Typed access to rows: what is read was checked against its checksum, what is written carries one. */
import type Database from "better-sqlite3";
import { damagedCatalog } from "./damaged-catalog.js";
import { type ColumnValue, checkRow, rowChecksum } from "./row-checksum.js";
import { columnCount, columnList, type Rows, type TableName } from "./schema.js";

/** A row as it is written: the checksum is added. */
export type WithoutChecksum<Row extends readonly unknown[]> = Row extends [...infer Values, number]
  ? Values
  : never;

/** A prepared SELECT of whole rows; `clause` is what follows FROM and the table. */
export class RowQuery<Table extends TableName> {
  private readonly statement: Database.Statement<ColumnValue[], Rows[Table]>;

  constructor(
    db: Database.Database,
    private readonly table: Table,
    clause: string,
  ) {
    const sql = `SELECT ${columnList(table)} FROM ${table} ${clause}`;
    this.statement = db.prepare<ColumnValue[], Rows[Table]>(sql).raw();
  }

  get(...parameters: ColumnValue[]): Rows[Table] | undefined {
    const row = this.statement.get(...parameters);
    return row === undefined ? undefined : this.check(row);
  }

  all(...parameters: ColumnValue[]): Rows[Table][] {
    return this.statement.all(...parameters).map((row) => this.check(row));
  }

  /** As `all`, of a query that orders by the key of the table: each key once. Errors: CORRUPT. */
  ascending(...parameters: ColumnValue[]): Rows[Table][] {
    const rows = this.all(...parameters);
    const wrong = rows.find(([key], i) => i > 0 && Number(rows[i - 1]![0]) >= Number(key));
    if (wrong === undefined) return rows;
    throw damagedCatalog(
      this.statement.database.name,
      `row ${String(wrong[0])} of ${this.table} is not in its place`,
    );
  }

  private check(row: Rows[Table]): Rows[Table] {
    return checkRow(this.statement.database.name, this.table, row as readonly ColumnValue[]) as Rows[Table];
  }
}

/** A prepared INSERT that adds the checksum; `verb` REPLACE writes over the row of the same key. */
export function rowWriter<Table extends TableName>(
  db: Database.Database,
  table: Table,
  verb: "INSERT" | "REPLACE" = "INSERT",
): (...values: WithoutChecksum<Rows[Table]>) => void {
  const places = Array.from({ length: columnCount(table) }, () => "?").join(", ");
  const statement = db.prepare<ColumnValue[]>(`${verb} INTO ${table} VALUES (${places})`);
  return (...values) => {
    const columns = values as ColumnValue[];
    statement.run(...columns, rowChecksum(table, columns));
  };
}
