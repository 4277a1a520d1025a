/** Reads documents and passages as a generation sees them; each row is checked, and so is that damage hides none. */
import type Database from "better-sqlite3";
import { damagedCatalog } from "./damaged-catalog.js";
import { HiddenRows, LIVE, type PagePlace } from "./hidden-rows.js";
import { IndexedRows, isVisible } from "./indexed-rows.js";
import { objectFromJsonText } from "./json-text.js";
import type { DocumentSummary, RowCondition, Snapshot, StoredDocument, StoredPassage } from "./records.js";
import { RowQuery } from "./rows.js";
import type { Rows } from "./schema.js";

/** Questions of more than one statement are to be asked within a transaction. */
export class DocumentReader {
  readonly hidden: HiddenRows;
  private readonly documentOf: RowQuery<"documents">;
  private readonly textOf: RowQuery<"texts">;
  private readonly passageOf: RowQuery<"passages">;
  private readonly passagesOf: RowQuery<"passages">;
  private readonly byId: IndexedRows;
  private readonly bySource: IndexedRows;

  constructor(private readonly db: Database.Database) {
    this.hidden = new HiddenRows(db);
    this.documentOf = new RowQuery(
      db,
      "documents",
      "WHERE document_no = ? AND gen_added <= ? ORDER BY gen_added DESC LIMIT 1",
    );
    this.textOf = new RowQuery(db, "texts", "WHERE document_no = ?");
    this.passageOf = new RowQuery(db, "passages", "WHERE passage_no = ?");
    this.passagesOf = new RowQuery(
      db,
      "passages",
      "WHERE passage_no >= ? AND passage_no < ? ORDER BY passage_no",
    );
    this.byId = new IndexedRows(db, "id");
    this.bySource = new IndexedRows(db, "source_path");
  }

  document(documentNo: number, generation: number): StoredDocument {
    const row = this.documentOf.get(documentNo, generation);
    // An older version in the place of one that cannot be found states when it was replaced.
    if (row === undefined || !isVisible(row, generation))
      throw damagedCatalog(this.db.name, `document ${documentNo} is missing`);
    return this.withText(row);
  }

  passage(passageNo: number): StoredPassage {
    const row = this.passageOf.get(passageNo);
    if (row === undefined) throw damagedCatalog(this.db.name, `passage ${passageNo} is missing`);
    return toPassage(row);
  }

  /** All passages of a document, in order. */
  passagesOfDocument({ documentNo, firstPassage, passages }: DocumentSummary): StoredPassage[] {
    const rows = this.passagesOf.all(firstPassage, firstPassage + passages).map(toPassage);
    if (rows.length !== passages || rows.some((row) => row.documentNo !== documentNo))
      throw damagedCatalog(this.db.name, `document ${documentNo} lacks passages`);
    return rows;
  }

  /** Number of the document of that id that is live at the generation, as far as the index of ids knows. */
  numberOf(id: string, generation: number): number | undefined {
    return this.byId.live(id, generation).at(-1)?.[0];
  }

  /** Numbers of those ids that are live. */
  numbersOf(ids: readonly string[], snapshot: Snapshot): Map<string, number> {
    this.hidden.requireTombstones(snapshot.generation);
    const found = new Map<string, number>();
    const absent: string[] = [];
    for (const id of ids) {
      const documentNo = this.numberOf(id, snapshot.generation);
      if (documentNo === undefined) absent.push(id);
      else found.set(id, documentNo);
    }
    if (absent.length > 0) this.hidden.requireAbsent(absent, snapshot);
    return found;
  }

  /** Live documents that were read from a file, by ascending number. */
  ofSource(path: string, generation: number): StoredDocument[] {
    this.hidden.requireTombstones(generation);
    this.hidden.requireSources(generation);
    return this.bySource.live(path, generation).map((row) => this.withText(row));
  }

  /** Live documents by ascending number. */
  list(snapshot: Snapshot, page: PagePlace, condition?: RowCondition): StoredDocument[] {
    return this.page(snapshot, page, condition).map((row) => this.withText(row));
  }

  /** Live documents without their texts, by ascending number. */
  summaries(snapshot: Snapshot, page: PagePlace, condition?: RowCondition): DocumentSummary[] {
    return this.page(snapshot, page, condition).map((row) => this.summary(row));
  }

  /** Numbers of all live documents that meet a condition, ascending. */
  matching(snapshot: Snapshot, condition: RowCondition): number[] {
    const { generation } = snapshot;
    this.hidden.requireTombstones(generation);
    this.hidden.requireWhole(snapshot);
    return this.db
      .prepare<(string | number | null)[], number>(
        `SELECT document_no FROM documents WHERE ${LIVE} AND (${condition.sql}) ORDER BY document_no`,
      )
      .pluck()
      .all(generation, generation, generation, ...condition.parameters);
  }

  private page(snapshot: Snapshot, page: PagePlace, condition?: RowCondition): Rows["documents"][] {
    const { generation } = snapshot;
    const { after, offset, limit } = page;
    const { sql, parameters } = condition ?? { sql: "1", parameters: [] };
    this.hidden.requireTombstones(generation);
    // What a condition passes over is not known from the page.
    if (condition !== undefined) this.hidden.requireWhole(snapshot);
    const rows = new RowQuery(
      this.db,
      "documents",
      `WHERE document_no > ? AND ${LIVE} AND (${sql}) ORDER BY document_no LIMIT ? OFFSET ?`,
    ).all(after, generation, generation, generation, ...parameters, limit, offset);
    if (condition === undefined) this.hidden.requirePage(snapshot, page, rows);
    return rows;
  }

  private withText(row: Rows["documents"]): StoredDocument {
    const { documentNo, id, ...rest } = this.summary(row);
    const text = this.textOf.get(documentNo);
    if (text === undefined)
      throw damagedCatalog(this.db.name, `the text of document ${documentNo} is missing`);
    return { documentNo, id, text: text[1], ...rest };
  }

  private summary(row: Rows["documents"]): DocumentSummary {
    const [documentNo, , , id, title, url, metadata, path, line, firstPassage, passages, tokens] = row;
    return {
      documentNo,
      id,
      ...(title === null ? {} : { title }),
      ...(url === null ? {} : { url }),
      metadata:
        metadata === null
          ? {}
          : objectFromJsonText(metadata, `${this.db.name}: the metadata of document ${documentNo}`),
      ...(path === null ? {} : { source: line === null ? { path } : { path, line } }),
      firstPassage,
      passages,
      tokens,
    };
  }
}

function toPassage(row: Rows["passages"]): StoredPassage {
  const [passageNo, documentNo, start, end, lineStart, lineEnd, tokens, context] = row;
  return { passageNo, documentNo, start, end, lineStart, lineEnd, tokens, context };
}
