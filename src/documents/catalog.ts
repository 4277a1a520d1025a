/**
 * The catalog of an index: documents, passages, and which files make up which generation. Its transaction is the
 * commit. One process writes, under the writer lock; any number read at the same time.
 */
import { join } from "node:path";
import type Database from "better-sqlite3";
import { checkInteger, invalidArgument } from "../common/check.js";
import { isMaxsimError, MaxsimError } from "../common/errors.js";
import { lexicalSchema, optimizeLexical } from "../lexical/table.js";
import type { WordRanking, WordSearch } from "../lexical/types.js";
import { isFileId } from "../storage/file-names.js";
import { HISTORY_NAME, newestNoted, removeHistory } from "../storage/history-log.js";
import type { CatalogChange } from "./catalog-change.js";
import { checkId } from "./check-document.js";
import { writeGeneration } from "./commit.js";
import { CATALOG_NAME, checkpoint, createCatalog, guard, openCatalog } from "./connection.js";
import { readFieldValues } from "./field-values.js";
import type { Field } from "./filter/fields.js";
import { hasPurgeable } from "./purge.js";
import { Readers } from "./readers.js";
import type {
  DeletedPassages,
  DocumentSummary,
  FieldValues,
  GenerationRecord,
  IndexSettings,
  PassageFact,
  RootRecord,
  RowCondition,
  Snapshot,
  SourceRecord,
  StoredDocument,
  StoredPassage,
} from "./records.js";
import { lexicalKind } from "./records.js";
import { repairRows } from "./repair-rows.js";
import type { RowRepair, RowRepairOptions } from "./row-repair.js";
import { rowWriter } from "./rows.js";
import { CATALOG_VERSION } from "./schema.js";
import { settingsText } from "./settings-text.js";
import { settingsProblem } from "./snapshot.js";
import { findProblems } from "./verify.js";

export type { CatalogChange } from "./catalog-change.js";
export type { RowCondition } from "./records.js";

/** A generation with the passages of its deleted documents as ascending, joined ranges. */
export interface Generation {
  readonly snapshot: Snapshot;
  readonly deleted: readonly (readonly [first: number, count: number])[];
}

/** Rows that are read in one go where all of a large table is passed through. */
const ROWS_AT_ONCE = 10_000;

export interface CatalogOptions {
  /** False only under the writer lock. */
  readonly readOnly: boolean;
  /** Whether a catalog that lost commits is opened all the same, to look at it or to mend it. Default false. */
  readonly allowRolledBack?: boolean;
}

export class Catalog {
  private live: Readers | undefined;
  private closed = false;
  /** A commit whose log could not be moved into the catalog; the next one waits until that works. */
  private needsCheckpoint = false;

  private constructor(
    readonly folder: string,
    readonly readOnly: boolean,
    db: Database.Database,
  ) {
    this.live = new Readers(db);
  }

  /** Path of the SQLite file. */
  get path(): string {
    return join(this.folder, CATALOG_NAME);
  }

  /** Makes an index of generation 0 without documents. Errors: INDEX_EXISTS, INVALID_ARGUMENT, DISK_FULL, IO. */
  static create(
    folder: string,
    init: { readonly indexId: string; readonly settings: IndexSettings },
  ): Catalog {
    if (!isFileId(init.indexId)) throw invalidArgument("indexId", "32 hexadecimal digits", init.indexId);
    const problem = settingsProblem(init.settings);
    if (problem !== undefined) throw new MaxsimError("INVALID_ARGUMENT", `settings: ${problem}`);
    const settings = settingsText(init.settings);
    const fullText = lexicalSchema(lexicalKind(init.settings));
    const db = createCatalog(folder, (created) => {
      if (fullText !== null) created.exec(fullText);
      const nothing = [null, 0, 0, 0, 0, 0, 0, null, null, 0, 0, 0] as const;
      rowWriter(created, "commits")(0, CATALOG_VERSION, init.indexId, settings, "create", 0, 0, ...nothing);
    });
    // What an index that was here before left behind tells of other generations.
    removeHistory(folder);
    return new Catalog(folder, false, db);
  }

  /**
   * Errors: INDEX_NOT_FOUND, FORMAT_TOO_NEW naming both versions, CORRUPT, LOCKED, IO.
   * CORRUPT, too, when the catalog is older than its log of commits: damage to SQLite's log can undo commits silently.
   */
  static open(folder: string, { readOnly, allowRolledBack = false }: CatalogOptions): Catalog {
    // Read before the catalog: the log is written after each commit, so it is never ahead of a sound catalog.
    const noted = allowRolledBack ? 0 : newestNoted(folder);
    const catalog = new Catalog(folder, readOnly, openCatalog(folder, readOnly));
    try {
      const newest = catalog.newestGeneration();
      if (newest >= noted) return catalog;
      throw new MaxsimError(
        "CORRUPT",
        `${catalog.path} is at generation ${newest}, and ${HISTORY_NAME} tells of generation ${noted}: commits are lost`,
        { hint: "Restore the index from a copy, or run maxsim repair to go on with what is left." },
      );
    } catch (error) {
      catalog.close();
      throw error;
    }
  }

  /** The newest generation, read in one short transaction. Errors: CORRUPT. */
  snapshot(): Snapshot {
    return this.readAtOnce(({ snapshots }) => snapshots.read());
  }

  /** The newest generation with its deletions, both of one state. Errors: CORRUPT. */
  generation(): Generation {
    return this.readAtOnce(({ snapshots, documents }) => {
      const snapshot = snapshots.read();
      const deleted = snapshots.deadPassages(snapshot.generation);
      documents.hidden.tombstonesRead(snapshot.generation);
      return { snapshot, deleted };
    });
  }

  /** Number of the newest generation. */
  newestGeneration(): number {
    return this.read(({ snapshots }) => snapshots.last()[0]);
  }

  /** Names of the files, relative to the folder, that generations from `oldest` on need. */
  filesInUse(oldest: number): Set<string> {
    return this.readAtOnce(({ snapshots }) => snapshots.filesInUse(oldest));
  }

  /** At most `limit` generations below number `before`, newest first. */
  history(before: number, limit: number): GenerationRecord[] {
    return this.read(({ snapshots }) => snapshots.generations(before, limit));
  }

  /** Documents by number as the generation sees them, deleted ones as well. CORRUPT when one is missing. */
  documents(numbers: readonly number[], generation: number): Map<number, StoredDocument> {
    return this.read(
      ({ documents }) => new Map(numbers.map((no) => [no, documents.document(no, generation)])),
    );
  }

  /** Passages by number. CORRUPT when one is missing. */
  passages(numbers: readonly number[]): Map<number, StoredPassage> {
    return this.read(({ documents }) => new Map(numbers.map((no) => [no, documents.passage(no)])));
  }

  /** All passages of a document, in order. CORRUPT when one is missing. */
  passagesOf(document: DocumentSummary): StoredPassage[] {
    return this.read(({ documents }) => documents.passagesOfDocument(document));
  }

  /** What the generation says of passages `first` .. `last`, ascending; their checksums are not compared. */
  *passageFacts(
    { generation }: Snapshot,
    first: number,
    last: number,
  ): Generator<PassageFact, void, undefined> {
    for (let next = first; next <= last; ) {
      const rows = this.read(({ facts }) => facts.read({ generation, first: next, last }, ROWS_AT_ONCE));
      yield* rows;
      if (rows.length < ROWS_AT_ONCE) return;
      next = rows.at(-1)!.passageNo + 1;
    }
  }

  /** Documents with passages among `first` .. `last` that are deleted in the generation, ascending. */
  deletedPassages({ generation }: Snapshot, first: number, last: number): DeletedPassages[] {
    return this.read(({ facts }) => facts.deleted({ generation, first, last }));
  }

  /** How many live passages with token vectors have numbers `first` .. `last`, and the first of them. */
  livePassages(
    { generation }: Snapshot,
    first: number,
    last: number,
  ): { readonly count: number; readonly first: number | null } {
    return this.read(({ facts }) => facts.live({ generation, first, last }));
  }

  documentById(id: string, snapshot: Snapshot): StoredDocument | undefined {
    return this.readAtOnce(({ documents }) => {
      const documentNo = documents.numbersOf([checkId(id)], snapshot).get(id);
      return documentNo === undefined ? undefined : documents.document(documentNo, snapshot.generation);
    });
  }

  /** As `documentById`, for many questions: damage to the index of ids may hide a document, which a commit notices. */
  liveById(id: string, snapshot: Snapshot): StoredDocument | undefined {
    return this.readAtOnce(({ documents }) => {
      const documentNo = documents.numberOf(checkId(id), snapshot.generation);
      return documentNo === undefined ? undefined : documents.document(documentNo, snapshot.generation);
    });
  }

  /** Live documents of the snapshot, those that meet the condition, in the order in which they were added. */
  listDocuments(
    snapshot: Snapshot,
    page: { readonly offset: number; readonly limit: number },
    condition?: RowCondition,
  ): StoredDocument[] {
    const offset = checkInteger("offset", page.offset, 0);
    const limit = checkInteger("limit", page.limit, 0);
    return this.readAtOnce(({ documents }) =>
      documents.list(snapshot, { after: -1, offset, limit }, condition),
    );
  }

  /**
   * As `listDocuments`, without the texts.
   * @param page.after a document number: only later ones are taken, which makes page after page as fast as the first.
   */
  summaries(
    snapshot: Snapshot,
    page: { readonly after: number; readonly offset: number; readonly limit: number },
    condition?: RowCondition,
  ): DocumentSummary[] {
    const offset = checkInteger("offset", page.offset, 0);
    const limit = checkInteger("limit", page.limit, 0);
    return this.readAtOnce(({ documents }) =>
      documents.summaries(snapshot, { after: page.after, offset, limit }, condition),
    );
  }

  /** CORRUPT when damage hides documents of the snapshot: before all pages of it are read, which then need no look each. */
  requireWhole(snapshot: Snapshot): void {
    this.readAtOnce(({ documents }) => documents.hidden.requireWhole(snapshot));
  }

  /** Numbers of the live documents that meet the condition, ascending. */
  matchingDocuments(snapshot: Snapshot, condition: RowCondition): number[] {
    return this.readAtOnce(({ documents }) => documents.matching(snapshot, condition));
  }

  /** The best passages for some words. Errors: NO_LEXICAL_INDEX. */
  searchWords(search: WordSearch): WordRanking {
    return this.read(({ words }) => words.search(search));
  }

  /** Numbers of passages that hold the words of a text side by side, deleted ones as well. Errors: NO_LEXICAL_INDEX. */
  passagesWith(phrase: string): number[] {
    return this.read(({ words }) => words.passagesWith(phrase));
  }

  /** What documents numbered `first` .. `last` hold in some fields; see `readFieldValues`. */
  fieldValues({ generation }: Snapshot, fields: readonly Field[], first: number, last: number): FieldValues {
    return this.read(({ db }) => readFieldValues(db, generation, fields, first, last));
  }

  /** Live documents that were read from the file, in the order in which they were added. */
  documentsOfSource(path: string, snapshot: Snapshot): StoredDocument[] {
    return this.readAtOnce(({ documents }) => documents.ofSource(path, snapshot.generation));
  }

  /** Paths that documents were read from, by number. CORRUPT when one is missing. */
  roots(snapshot: Snapshot): RootRecord[] {
    return this.read(({ sources }) => sources.roots(snapshot));
  }

  /** Files that documents were read from, by number. CORRUPT when one is missing. */
  sources(snapshot: Snapshot): SourceRecord[] {
    return this.read(({ sources }) => sources.sources(snapshot));
  }

  /** Whether rows could be removed that only generations before this one see. */
  hasPurgeable(oldestInUse: number): boolean {
    return this.read(({ db }) => hasPurgeable(db, oldestInUse));
  }

  /** Numbers of those ids that are live in the newest generation. */
  liveIds(ids: readonly string[]): Map<string, number> {
    return this.readAtOnce(({ snapshots, documents }) =>
      documents.numbersOf(ids.map(checkId), snapshots.read()),
    );
  }

  /** As `liveIds`, for ids that are about to be added: damage to the index of ids may hide one, which the commit notices. */
  takenIds(ids: readonly string[]): Map<string, number> {
    return this.readAtOnce(({ snapshots, documents }) => {
      const generation = snapshots.last()[0];
      return new Map(
        ids.flatMap((id) => {
          const documentNo = documents.numberOf(checkId(id), generation);
          return documentNo === undefined ? [] : [[id, documentNo] as const];
        }),
      );
    });
  }

  /** Numbers of those ids that are live in the snapshot. */
  numbersOf(ids: readonly string[], snapshot: Snapshot): Map<string, number> {
    return this.readAtOnce(({ documents }) => documents.numbersOf(ids, snapshot));
  }

  /**
   * Makes the next generation and returns its number once it is durable. When it throws INTERNAL or CORRUPT the
   * change was refused and the generation is the old one. After an I/O error the outcome is unknown: read
   * `snapshot()` to see which generation there is. The connection is opened anew by the next call, and nothing is
   * written before the log could be moved into the catalog.
   */
  commit(change: CatalogChange): number {
    if (this.readOnly) throw new MaxsimError("INTERNAL", `${this.path} is open for reading only`);
    change.staging?.flush();
    return this.read(({ db }) => {
      if (this.needsCheckpoint) {
        checkpoint(db);
        this.needsCheckpoint = false;
      }
      const generation = db.transaction(() => writeGeneration(db, change)).immediate();
      this.emptyLog(db);
      return generation;
    }, "write");
  }

  /**
   * Reads every row of every generation and compares what must agree; takes as long as reading the file.
   * @returns what is wrong, at most 20 sentences; empty for a sound catalog.
   */
  verify(): string[] {
    return this.readAtOnce(({ db }) => findProblems(db));
  }

  /**
   * Writes the catalog anew, so that nothing is left of what was removed from it. Takes as long as copying the file, and as
   * much room until it is done. Errors: DISK_FULL, IO; then the catalog is as it was.
   */
  rewrite(): void {
    this.read(({ db }) => {
      optimizeLexical(db);
      db.exec("VACUUM");
      this.emptyLog(db);
    }, "write");
  }

  /** Mends what can be mended of the rows; see `repairRows`. Only under the writer lock. Errors: CORRUPT, DISK_FULL, IO. */
  repairRows(options: RowRepairOptions): RowRepair {
    return this.read(({ db }) => {
      const repair = repairRows(db, options);
      this.emptyLog(db);
      return repair;
    }, "repair");
  }

  /** Later calls throw CLOSED; a second close does nothing. */
  close(): void {
    this.closed = true;
    const live = this.live;
    this.live = undefined;
    if (live !== undefined) guard(this.path, "close", () => live.db.close());
  }

  /** The commit is durable in the log by now, so a failure here must not be reported as one of the commit. */
  private emptyLog(db: Database.Database): void {
    try {
      checkpoint(db);
    } catch (error) {
      if (!isMaxsimError(error)) throw error;
      this.needsCheckpoint = true;
    }
  }

  /** Reads within one transaction: rows of one state, also when another process commits meanwhile. */
  private readAtOnce<T>(work: (live: Readers) => T): T {
    return this.read((live) => live.db.transaction(() => work(live))());
  }

  private read<T>(work: (live: Readers) => T, action = "read"): T {
    if (this.closed) throw new MaxsimError("CLOSED", `the catalog ${this.path} is closed`);
    const live = this.live ?? new Readers(openCatalog(this.folder, this.readOnly));
    this.live = live;
    try {
      return guard(this.path, action, () => work(live));
    } catch (error) {
      // A connection that saw an I/O error may hold pages or locks that no longer stand for the file.
      if (isMaxsimError(error) && (error.code === "IO" || error.code === "DISK_FULL")) {
        this.live = undefined;
        live.db.close();
      }
      throw error;
    }
  }
}
