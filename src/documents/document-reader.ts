/** Reads documents and passages; each row is checked. */
import type Database from "better-sqlite3";
import { fromJsonText } from "./json-text.js";
import type { StoredDocument, StoredPassage } from "./records.js";
import { RowQuery } from "./rows.js";
import type { Rows } from "./schema.js";
import { damagedCatalog } from "./snapshot.js";
import type { Metadata } from "./types.js";

/** Visible at a generation, which is bound twice. */
const LIVE = `documents.gen_added <= ? AND NOT EXISTS (SELECT 1 FROM tombstones t
  WHERE t.document_no = documents.document_no AND t.gen_deleted <= ?)`;

export class DocumentReader {
  private readonly documentOf: RowQuery<"documents">;
  private readonly textOf: RowQuery<"texts">;
  private readonly passageOf: RowQuery<"passages">;
  private readonly byId: RowQuery<"documents">;
  private readonly page: RowQuery<"documents">;

  constructor(private readonly db: Database.Database) {
    this.documentOf = new RowQuery(db, "documents", "WHERE document_no = ?");
    this.textOf = new RowQuery(db, "texts", "WHERE document_no = ?");
    this.passageOf = new RowQuery(db, "passages", "WHERE passage_no = ?");
    this.byId = new RowQuery(db, "documents", `WHERE id = ? AND ${LIVE}`);
    this.page = new RowQuery(db, "documents", `WHERE ${LIVE} ORDER BY document_no LIMIT ? OFFSET ?`);
  }

  document(documentNo: number): StoredDocument {
    const row = this.documentOf.get(documentNo);
    if (row === undefined) throw damagedCatalog(this.db.name, `document ${documentNo} is missing`);
    return this.withText(row);
  }

  passage(passageNo: number): StoredPassage {
    const row = this.passageOf.get(passageNo);
    if (row === undefined) throw damagedCatalog(this.db.name, `passage ${passageNo} is missing`);
    const [, documentNo, start, end, lineStart, lineEnd, tokens, context] = row;
    return { passageNo, documentNo, start, end, lineStart, lineEnd, tokens, context };
  }

  /** Number of the document of that id that is live at the generation. */
  numberOf(id: string, generation: number): number | undefined {
    return this.byId.get(id, generation, generation)?.[0];
  }

  /** Live documents by ascending number. */
  list(generation: number, offset: number, limit: number): StoredDocument[] {
    return this.page.all(generation, generation, limit, offset).map((row) => this.withText(row));
  }

  private withText(row: Rows["documents"]): StoredDocument {
    const [documentNo, , id, title, url, metadata, path, line, firstPassage, passages, tokens] = row;
    const text = this.textOf.get(documentNo);
    if (text === undefined)
      throw damagedCatalog(this.db.name, `the text of document ${documentNo} is missing`);
    return {
      documentNo,
      id,
      text: text[1],
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
