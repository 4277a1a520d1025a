/**
 * Notices rows of `documents` that damage hides. A flipped bit in a page of SQLite can make a row unreachable, or show
 * another one in its place, and no checksum of a row tells that a row is not there. But every row is known in three
 * places that one damage does not reach together: the table, its index of ids, and `texts`, which has the same numbers.
 */
import type Database from "better-sqlite3";
import { damagedCatalog } from "./damaged-catalog.js";
import { isVisible } from "./indexed-rows.js";
import type { Snapshot } from "./records.js";
import { RowQuery } from "./rows.js";
import type { Rows } from "./schema.js";

/** Visible at a generation, which is bound three times. */
export const LIVE = `documents.gen_added <= ? AND (documents.gen_replaced IS NULL OR documents.gen_replaced > ?)
  AND NOT EXISTS (SELECT 1 FROM tombstones t WHERE t.document_no = documents.document_no AND t.gen_deleted <= ?)`;

/** Reading one text's page costs about as much as passing over this many rows of documents. */
const ROWS_PER_TEXT = 20;

/** Ids that are looked for in one pass over the table: some megabytes of text. */
export const IDS_AT_ONCE = 50_000;

type SnapshotSize = Pick<Snapshot, "generation" | "documents">;

/** The place of a page among the live documents with numbers above `after`. */
export interface PagePlace {
  readonly after: number;
  readonly offset: number;
  readonly limit: number;
}

/** All methods are to be called within the transaction that read what they check. Errors: CORRUPT. */
export class HiddenRows {
  /** The last generations for which `requireWhole`, `requireSources` and `requireTombstones` found everything. */
  private whole = -1;
  private sourced = -1;
  private buriedIn = -1;
  private readonly inTable: Database.Statement<[number, number], [...Sums, visible: number]>;
  private readonly inIndex: Database.Statement<[], Sums>;
  private readonly buried: Database.Statement<[number, number, number], number>;
  private readonly withIds: Database.Statement<
    [{ ids: string; generation: number; before: number; below: number }],
    [documentNo: number, id: string]
  >;
  private readonly tombstone: Database.Statement<[number, number], number>;
  private readonly liveNumbers: Database.Statement<number[], number>;
  private readonly textNumbers: Database.Statement<[number, number], number>;
  private readonly rowsOf: RowQuery<"documents">;
  private readonly tombstones: RowQuery<"tombstones">;
  private readonly unsourced: Database.Statement<[number, number], string>;

  constructor(private readonly db: Database.Database) {
    const visible = "gen_added <= ? AND (gen_replaced IS NULL OR gen_replaced > ?)";
    const sums = "count(*), sum(document_no), sum(gen_added)";
    // NOT INDEXED does not keep SQLite from the indexes of a table without row ids: `gen_replaced`, which is in none of them,
    // does, with a plus where a column that is in one is compared.
    this.inTable = db
      .prepare<[number, number], [...Sums, number]>(
        `SELECT ${sums}, count(*) FILTER (WHERE ${visible}) FROM documents NOT INDEXED`,
      )
      .raw();
    this.inIndex = db.prepare<[], Sums>(`SELECT ${sums} FROM documents INDEXED BY documents_id`).raw();
    this.buried = db
      .prepare<[number, number, number], number>(
        `SELECT count(*) FROM tombstones t WHERE t.gen_deleted <= ?
           AND EXISTS (SELECT 1 FROM documents d WHERE d.document_no = t.document_no AND ${visible})`,
      )
      .pluck();
    this.withIds = db
      .prepare<[{ ids: string; generation: number; before: number; below: number }], [number, string]>(
        `SELECT document_no, id FROM documents NOT INDEXED WHERE document_no < @below
           AND +id IN (SELECT value FROM json_each(@ids)) AND gen_added < @before
           AND (gen_replaced IS NULL OR gen_replaced > @generation)`,
      )
      .raw();
    this.tombstone = db
      .prepare<[number, number], number>(
        "SELECT 1 FROM tombstones WHERE document_no = ? AND gen_deleted <= ?",
      )
      .pluck();
    this.liveNumbers = db
      .prepare<number[], number>(
        `SELECT document_no FROM documents NOT INDEXED WHERE document_no > ? AND document_no <= ? AND ${LIVE}
           ORDER BY document_no`,
      )
      .pluck();
    this.textNumbers = db
      .prepare<[number, number], number>(
        "SELECT document_no FROM texts WHERE document_no > ? AND document_no <= ? ORDER BY document_no",
      )
      .pluck();
    this.rowsOf = new RowQuery(db, "documents", "WHERE document_no = ?");
    this.tombstones = new RowQuery(db, "tombstones", "ORDER BY document_no");
    this.unsourced = db
      .prepare<[number, number], string>(
        `SELECT source_path FROM documents d NOT INDEXED WHERE +source_path IS NOT NULL AND ${visible}
           AND NOT EXISTS (SELECT 1 FROM documents s INDEXED BY documents_source WHERE s.source_path = d.source_path
             AND s.document_no = d.document_no AND s.gen_added = d.gen_added) LIMIT 1`,
      )
      .pluck();
  }

  /**
   * That the table has all live documents of the generation, and the same rows as its index of ids: for whatever passes
   * through all rows. A look at every row, under half a microsecond each, once for each generation.
   */
  requireWhole({ generation, documents }: SnapshotSize): void {
    if (this.whole === generation) return;
    const [count, numbers, generations, visible] = this.inTable.get(generation, generation)!;
    const indexed = this.inIndex.get()!;
    if (indexed[0] !== count || indexed[1] !== numbers || indexed[2] !== generations) {
      throw this.damaged(
        `documents has ${count} rows and its index of ids ${indexed[0]}, which are not of the same documents`,
      );
    }
    const live = visible - this.buried.get(generation, generation, generation)!;
    if (live !== documents) throw this.damaged(`it has ${live} live documents, expected ${documents}`);
    this.whole = generation;
  }

  /** That the tombstones are those that were written; their number is that of the commit record. A look at each, once. */
  requireTombstones(generation: number): void {
    if (this.buriedIn === generation) return;
    this.tombstones.ascending();
    this.buriedIn = generation;
  }

  /** Says that the tombstones of a generation were looked at already. */
  tombstonesRead(generation: number): void {
    this.buriedIn = generation;
  }

  /**
   * That a page of live documents lacks none and shows each once: its numbers and those before it are compared with those of
   * the texts, or the whole table is looked at where that is less work.
   */
  requirePage(
    snapshot: SnapshotSize,
    { after, offset, limit }: PagePlace,
    rows: readonly Rows["documents"][],
  ): void {
    const { generation, documents } = snapshot;
    if (this.whole === generation) return;
    const last = rows.at(-1);
    if (last === undefined || rows.length < limit || (offset + limit) * ROWS_PER_TEXT >= documents) {
      this.requireWhole(snapshot);
      return;
    }
    const live = this.liveNumbers.all(after, last[0], generation, generation, generation);
    if (live.length !== offset + rows.length || rows.some((row, i) => row[0] !== live[offset + i])) {
      throw this.damaged(`the documents up to ${last[0]} are not in order`);
    }
    let next = 0;
    for (const documentNo of this.textNumbers.all(after, last[0])) {
      if (live[next] === documentNo) next++;
      else this.requireNotLive(documentNo, generation);
    }
    if (next < live.length) throw this.damaged(`the text of document ${live[next]} is missing`);
  }

  /** That documents of these ids, which the index of ids does not have, are not in the table either. */
  requireAbsent(ids: readonly string[], snapshot: SnapshotSize): void {
    this.requireWhole(snapshot);
    this.requireFree(ids, { generation: snapshot.generation, before: snapshot.generation + 1 });
  }

  /** That ids that `generation` gives to documents are not those of documents of before; below: of lower numbers. */
  requireNew(ids: readonly string[], generation: number, below = Number.MAX_SAFE_INTEGER): void {
    this.requireFree(ids, { generation, before: generation, below });
  }

  /** A look at every row, about 0.2 microseconds each. */
  private requireFree(
    ids: readonly string[],
    rows: { readonly generation: number; readonly before: number; readonly below?: number },
  ): void {
    if (ids.length === 0) return;
    const range = { below: Number.MAX_SAFE_INTEGER, ...rows };
    for (const [documentNo, id] of this.withIds.all({ ids: JSON.stringify(ids), ...range })) {
      if (this.tombstone.get(documentNo, rows.generation) !== undefined) continue;
      throw this.damaged(`the index of ids does not lead to document ${JSON.stringify(id)}`);
    }
  }

  /** That the index of sources has every document of the generation; a look at every row, once for each generation. */
  requireSources(generation: number): void {
    if (this.sourced === generation) return;
    const path = this.unsourced.get(generation, generation);
    if (path !== undefined) {
      throw this.damaged(`the index of sources lacks a document of ${JSON.stringify(path)}`);
    }
    this.sourced = generation;
  }

  /** That there is a reason why a document that has a text is not live: it was deleted, or a later generation added it. */
  private requireNotLive(documentNo: number, generation: number): void {
    const rows = this.rowsOf.all(documentNo);
    if (rows.length > 0) {
      const deleted = this.tombstone.get(documentNo, generation) !== undefined;
      if (deleted || (!rows.some((row) => isVisible(row, generation)) && rows[0]![1] > generation)) return;
    }
    throw this.damaged(`document ${documentNo} is missing`);
  }

  private damaged(what: string): Error {
    return damagedCatalog(this.db.name, what);
  }
}

type Sums = [count: number, documentNumbers: number | null, generations: number | null];
