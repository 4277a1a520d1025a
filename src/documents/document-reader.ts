/** Reads documents and passages as a generation sees them; each row is checked. */
import type Database from "better-sqlite3";
import { fromJsonText } from "./json-text.js";
import type { DocumentSummary, RowCondition, Snapshot, StoredDocument, StoredPassage } from "./records.js";
import { RowQuery } from "./rows.js";
import type { Rows } from "./schema.js";
import { damagedCatalog } from "./snapshot.js";
import type { Metadata } from "./types.js";

/** Visible at a generation, which is bound three times. */
export const LIVE = `documents.gen_added <= ? AND (documents.gen_replaced IS NULL OR documents.gen_replaced > ?)
  AND NOT EXISTS (SELECT 1 FROM tombstones t WHERE t.document_no = documents.document_no AND t.gen_deleted <= ?)`;

export class DocumentReader {
  private readonly documentOf: RowQuery<"documents">;
  private readonly textOf: RowQuery<"texts">;
  private readonly passageOf: RowQuery<"passages">;
  private readonly passagesOf: RowQuery<"passages">;
  private readonly byId: RowQuery<"documents">;
  private readonly bySource: RowQuery<"documents">;
  private readonly page: RowQuery<"documents">;

  constructor(private readonly db: Database.Database) {
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
    this.byId = new RowQuery(db, "documents", `WHERE id = ? AND ${LIVE}`);
    this.bySource = new RowQuery(db, "documents", `WHERE source_path = ? AND ${LIVE} ORDER BY document_no`);
    this.page = new RowQuery(db, "documents", `WHERE ${LIVE} ORDER BY document_no LIMIT ? OFFSET ?`);
  }

  document(documentNo: number, generation: number): StoredDocument {
    const row = this.documentOf.get(documentNo, generation);
    if (row === undefined) throw damagedCatalog(this.db.name, `document ${documentNo} is missing`);
    return this.withText(row);
  }

  passage(passageNo: number): StoredPassage {
    const row = this.passageOf.get(passageNo);
    if (row === undefined) throw damagedCatalog(this.db.name, `passage ${passageNo} is missing`);
    return toPassage(row);
  }

  /** All passages of a document, in order. */
  passagesOfDocument({ documentNo, firstPassage, passages }: StoredDocument): StoredPassage[] {
    const rows = this.passagesOf.all(firstPassage, firstPassage + passages).map(toPassage);
    if (rows.length !== passages || rows.some((row) => row.documentNo !== documentNo))
      throw damagedCatalog(this.db.name, `document ${documentNo} lacks passages`);
    return rows;
  }

  /** Number of the document of that id that is live at the generation. */
  numberOf(id: string, generation: number): number | undefined {
    return this.byId.get(id, generation, generation, generation)?.[0];
  }

  /**
   * CORRUPT when one of the ids is there and the index of ids does not find it, or rows are missing: a look at every row,
   * so for rare questions.
   */
  requireAbsent(ids: readonly string[], { generation, documents }: Snapshot): void {
    const wanted = new Set(ids);
    const rows = this.db
      .prepare<[number, number, number], string>(`SELECT id FROM documents NOT INDEXED WHERE ${LIVE}`)
      .pluck();
    let count = 0;
    for (const id of rows.iterate(generation, generation, generation)) {
      count++;
      if (wanted.has(id)) {
        throw damagedCatalog(
          this.db.name,
          `the index of ids does not lead to document ${JSON.stringify(id)}`,
        );
      }
    }
    if (count !== documents)
      throw damagedCatalog(this.db.name, `it has ${count} live documents, expected ${documents}`);
  }

  /** CORRUPT when a page of all documents ends before they do. */
  requireWhole({ documents }: Snapshot, offset: number, limit: number, found: number): void {
    const expected = Math.max(0, Math.min(limit, documents - offset));
    if (found !== expected)
      throw damagedCatalog(
        this.db.name,
        `it lists ${found} documents from ${offset} on, expected ${expected}`,
      );
  }

  /** Live documents that were read from a file, by ascending number. */
  ofSource(path: string, generation: number): StoredDocument[] {
    return this.bySource.all(path, generation, generation, generation).map((row) => this.withText(row));
  }

  /** Live documents by ascending number. */
  list(generation: number, offset: number, limit: number, condition?: RowCondition): StoredDocument[] {
    const live = [generation, generation, generation];
    const rows =
      condition === undefined
        ? this.page.all(...live, limit, offset)
        : new RowQuery(
            this.db,
            "documents",
            `WHERE ${LIVE} AND (${condition.sql}) ORDER BY document_no LIMIT ? OFFSET ?`,
          ).all(...live, ...condition.parameters, limit, offset);
    return rows.map((row) => this.withText(row));
  }

  /** Live documents without their texts, by ascending number, from the one after `after` on. */
  summaries(
    generation: number,
    page: { readonly after: number; readonly offset: number; readonly limit: number },
    condition?: RowCondition,
  ): DocumentSummary[] {
    const { sql, parameters } = condition ?? { sql: "1", parameters: [] };
    return new RowQuery(
      this.db,
      "documents",
      `WHERE document_no > ? AND ${LIVE} AND (${sql}) ORDER BY document_no LIMIT ? OFFSET ?`,
    )
      .all(page.after, generation, generation, generation, ...parameters, page.limit, page.offset)
      .map((row) => this.summary(row));
  }

  /** Numbers of all live documents that meet a condition, ascending. */
  matching(generation: number, condition: RowCondition): number[] {
    return this.db
      .prepare<(string | number | null)[], number>(
        `SELECT document_no FROM documents WHERE ${LIVE} AND (${condition.sql}) ORDER BY document_no`,
      )
      .pluck()
      .all(generation, generation, generation, ...condition.parameters);
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
          : (fromJsonText(metadata, `${this.db.name}: the metadata of document ${documentNo}`) as Metadata),
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
