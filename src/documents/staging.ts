/**
 * Documents and passages of a running add, in `build.sqlite` beside the catalog. Nothing of it is visible to
 * readers and nothing of it must survive a crash: the next writer removes the file. So it has no journal and is
 * never synced, and an add of any size takes little memory.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe } from "../common/check.js";
import { ioError, MaxsimError } from "../common/errors.js";
import type { PassageSpan } from "../text/types.js";
import { type CheckedDocument, checkDocument, checkSpan, describeSource } from "./check-document.js";
import { guard } from "./connection.js";
import { toWellFormed } from "./json-text.js";
import { passageText } from "./passage-text.js";
import { type ColumnValue, checkRow, rowChecksum } from "./row-checksum.js";
import {
  missingRow,
  STAGING_SCHEMA,
  type StagedDocument,
  type StagedDocumentRow,
  type StagedPassage,
  type StagedPassageRow,
  type StagedSpan,
  toSpan,
} from "./staging-rows.js";
import type { DocumentInput } from "./types.js";

export type { StagedDocument, StagedPassage, StagedSpan } from "./staging-rows.js";

export const STAGING_NAME = "build.sqlite";

/** What becomes of a document whose id is taken: the later one counts, the earlier one counts, or DUPLICATE_ID. */
export type OnDuplicate = "replace" | "skip" | "error";

const ROWS_PER_TRANSACTION = 10_000;
const PASSAGES_PER_BATCH = 1000;

export class Staging {
  private documentCount = 0;
  private passageCount = 0;
  /** Numbers of the next rows. Those of documents that later ones of the same id replaced stay unused. */
  private nextDocument: number;
  private nextPassage: number;
  private replacedCount = 0;
  /** Numbers of all passages, made once there are gaps between them. */
  private numbers: Uint32Array | undefined;
  private pendingRows = 0;
  /** The text that readPassages used last; passages of one document come one after the other. */
  private current: { readonly documentNo: number; readonly text: string } | undefined;

  private readonly insertDocument: Database.Statement<ColumnValue[]>;
  private readonly insertPassage: Database.Statement<ColumnValue[]>;
  private readonly updateTokens: Database.Statement<ColumnValue[]>;
  private readonly selectById: Database.Statement<[string], StagedDocumentRow>;
  private readonly selectDocument: Database.Statement<[number], StagedDocumentRow>;
  private readonly selectNext: Database.Statement<[number], StagedDocumentRow>;
  private readonly deletePassages: Database.Statement<[number]>;
  private readonly deleteDocument: Database.Statement<[number]>;
  private readonly selectPassages: Database.Statement<[number, number], StagedPassageRow>;
  private readonly selectTokens: Database.Statement<[number, number], number>;

  private constructor(
    private readonly db: Database.Database,
    readonly path: string,
    /** Number of the first document; the others follow. */
    readonly firstDocument: number,
    readonly firstPassage: number,
  ) {
    this.nextDocument = firstDocument;
    this.nextPassage = firstPassage;
    this.insertDocument = db.prepare(`INSERT INTO documents VALUES (${"?, ".repeat(10)}?)`);
    this.insertPassage = db.prepare(`INSERT INTO passages VALUES (${"?, ".repeat(8)}0)`);
    this.updateTokens = db.prepare("UPDATE passages SET tokens = ? WHERE passage_no = ?");
    this.selectById = db.prepare<[string], StagedDocumentRow>("SELECT * FROM documents WHERE id = ?").raw();
    this.selectDocument = db
      .prepare<[number], StagedDocumentRow>("SELECT * FROM documents WHERE document_no = ?")
      .raw();
    this.selectNext = db
      .prepare<[number], StagedDocumentRow>(
        "SELECT * FROM documents WHERE document_no >= ? ORDER BY document_no LIMIT 1",
      )
      .raw();
    this.deleteDocument = db.prepare("DELETE FROM documents WHERE document_no = ?");
    this.deletePassages = db.prepare("DELETE FROM passages WHERE document_no = ?");
    this.selectPassages = db
      .prepare<[number, number], StagedPassageRow>(
        "SELECT * FROM passages WHERE passage_no >= ? ORDER BY passage_no LIMIT ?",
      )
      .raw();
    this.selectTokens = db
      .prepare<[number, number], number>(
        "SELECT coalesce(sum(tokens), 0) FROM passages WHERE passage_no >= ? AND passage_no < ?",
      )
      .pluck();
  }

  /** Starts an empty staging file in place of one that a broken-off add left. */
  static create(
    folder: string,
    first: { readonly firstDocument: number; readonly firstPassage: number },
  ): Staging {
    const path = join(folder, STAGING_NAME);
    removeStaging(folder);
    return guard(path, "create", () => {
      const db = new Database(path);
      db.pragma("journal_mode = OFF");
      db.pragma("synchronous = OFF");
      db.pragma("locking_mode = EXCLUSIVE");
      db.pragma("cache_size = -32768");
      db.exec(STAGING_SCHEMA);
      return new Staging(db, path, first.firstDocument, first.firstPassage);
    });
  }

  get documents(): number {
    return this.documentCount;
  }

  get passages(): number {
    return this.passageCount;
  }

  /** Documents that later ones of the same id replaced. */
  get replaced(): number {
    return this.replacedCount;
  }

  /** The numbers after those that this add takes. */
  get endDocument(): number {
    return this.nextDocument;
  }

  get endPassage(): number {
    return this.nextPassage;
  }

  /** Number of the passage at a place (from 0) in the order of all staged ones. */
  passageAt(ordinal: number): number {
    if (this.nextPassage - this.firstPassage === this.passageCount) return this.firstPassage + ordinal;
    this.numbers ??= guard(this.path, "read", () =>
      Uint32Array.from(
        this.db.prepare<[], number>("SELECT passage_no FROM passages ORDER BY passage_no").pluck().all(),
      ),
    );
    return this.numbers[ordinal]!;
  }

  /**
   * Adds a document with its passages, which get consecutive numbers; null when it was skipped. When it throws, nothing
   * of the document was stored. Errors: INVALID_DOCUMENT, DUPLICATE_ID naming both sources, DISK_FULL, IO.
   */
  addDocument(
    input: DocumentInput,
    spans: readonly PassageSpan[],
    onDuplicate: OnDuplicate = "error",
  ): { readonly documentNo: number; readonly firstPassage: number } | null {
    const document = checkDocument(input);
    for (const span of spans) checkSpan(document.id, document.text, span);
    return guard(this.path, "write", () => {
      const earlier = this.selectById.get(document.id);
      if (earlier !== undefined && onDuplicate === "error") throw this.duplicate(document, earlier);
      if (earlier !== undefined && onDuplicate === "skip") return null;
      if (!this.db.inTransaction) this.db.exec("BEGIN");
      if (earlier !== undefined) this.removeDocument(earlier);
      const documentNo = this.nextDocument++;
      const firstPassage = this.nextPassage;
      const { id, title, url, metadata, sourcePath, sourceLine, text } = document;
      const source = [sourcePath, sourceLine] as const;
      const columns = [documentNo, id, title, url, metadata, ...source, firstPassage, spans.length, text];
      this.insertDocument.run(...columns, rowChecksum("staged", columns));
      for (const span of spans) {
        const context = toWellFormed(span.context);
        const { start, end, lineStart, lineEnd } = span;
        const values = [this.nextPassage++, documentNo, start, end, lineStart, lineEnd, context];
        this.insertPassage.run(...values, rowChecksum("spans", values));
      }
      this.documentCount++;
      this.passageCount += spans.length;
      this.pendingRows += 1 + spans.length;
      if (this.pendingRows >= ROWS_PER_TRANSACTION) this.flush();
      return { documentNo, firstPassage };
    });
  }

  private removeDocument(row: StagedDocumentRow): void {
    this.deletePassages.run(row[0]);
    this.deleteDocument.run(row[0]);
    this.documentCount--;
    this.passageCount -= row[8];
    this.replacedCount++;
  }

  /** Up to `limit` passages with numbers of at least `from`, ascending. */
  readPassages(from: number, limit: number): StagedPassage[] {
    return guard(this.path, "read", () =>
      this.selectPassages.all(from, limit).map((row) => {
        const span = toSpan(this.path, row);
        const { passageNo, documentNo } = span;
        return { passageNo, documentNo, text: passageText(this.textOf(documentNo), span) };
      }),
    );
  }

  /** Records how many token vectors passages have; those never named have 0. */
  setTokens(rows: readonly { readonly passageNo: number; readonly tokens: number }[]): void {
    guard(this.path, "write", () => {
      if (!this.db.inTransaction) this.db.exec("BEGIN");
      for (const { passageNo, tokens } of rows) {
        if (this.updateTokens.run(tokens, passageNo).changes !== 1) {
          throw new MaxsimError("INTERNAL", `passage ${passageNo} is not among those of this add`);
        }
      }
      this.pendingRows += rows.length;
      if (this.pendingRows >= ROWS_PER_TRANSACTION) this.flush();
    });
  }

  /** Tokens of the staged passages first .. first + count - 1. */
  tokensOf(first: number, count: number): number {
    return guard(this.path, "read", () => this.selectTokens.get(first, first + count) ?? 0);
  }

  /** All documents by ascending number, one at a time. */
  *readDocuments(): Generator<StagedDocument, void, undefined> {
    let found = 0;
    for (let next = this.firstDocument; ; found++) {
      const row = guard(this.path, "read", () => this.selectNext.get(next));
      if (row === undefined) break;
      checkRow(this.path, "staged", row);
      next = row[0] + 1;
      yield this.toDocument(row);
    }
    if (found !== this.documentCount) throw missingRow(this.path, "a document");
  }

  /** All passages by ascending number, in batches. */
  *readSpans(): Generator<StagedSpan, void, undefined> {
    let found = 0;
    for (let next = this.firstPassage; ; ) {
      const rows = guard(this.path, "read", () => this.selectPassages.all(next, PASSAGES_PER_BATCH));
      if (rows.length === 0) break;
      for (const row of rows) yield toSpan(this.path, row);
      found += rows.length;
      next = rows.at(-1)![0] + 1;
    }
    if (found !== this.passageCount) throw missingRow(this.path, "a passage");
  }

  /** Ends the running transaction, so that its pages need no memory. */
  flush(): void {
    guard(this.path, "write", () => {
      if (this.db.inTransaction) this.db.exec("COMMIT");
      this.pendingRows = 0;
    });
  }

  /** Closes the file; it stays until `remove` or the next writer. */
  close(): void {
    this.db.close();
  }

  /** Closes and deletes the file. */
  remove(): void {
    this.close();
    removeStaging(join(this.path, ".."));
  }

  private duplicate(document: CheckedDocument, first: StagedDocumentRow): MaxsimError {
    const [documentNo, , , , , path, line] = first;
    const before = describeSource(path, line, documentNo - this.firstDocument);
    const now = describeSource(
      document.sourcePath,
      document.sourceLine,
      this.nextDocument - this.firstDocument,
    );
    return new MaxsimError(
      "DUPLICATE_ID",
      `document id ${describe(document.id)} appears twice: first ${before}, then ${now}`,
      { hint: "Give each document of one input its own id, or say that the later one counts." },
    );
  }

  private textOf(documentNo: number): string {
    if (this.current?.documentNo !== documentNo) {
      const row = this.require(this.selectDocument.get(documentNo), documentNo);
      this.current = { documentNo, text: row[9] };
    }
    return this.current!.text;
  }

  private require(row: StagedDocumentRow | undefined, documentNo: number): StagedDocumentRow {
    if (row === undefined) throw missingRow(this.path, `document ${documentNo}`);
    return checkRow(this.path, "staged", row);
  }

  private toDocument(row: StagedDocumentRow): StagedDocument {
    const [documentNo, id, title, url, metadata, sourcePath, sourceLine, firstPassage, passages, text] = row;
    const tokens = this.tokensOf(firstPassage, passages);
    const content = { id, title, url, metadata, sourcePath, sourceLine, text };
    return { documentNo, firstPassage, passages, tokens, ...content };
  }
}

/** Deletes the staging file of a folder, if there is one. */
export function removeStaging(folder: string): void {
  const path = join(folder, STAGING_NAME);
  try {
    for (const suffix of ["", "-journal", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
  } catch (error) {
    throw ioError("remove", path, error);
  }
}
