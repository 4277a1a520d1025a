/**
 * An index for looking at, not for searching: its catalog at one generation, which stays whole meanwhile. No file of
 * vectors is opened, so this works in milliseconds, and also when one of them is damaged.
 */
import { resolve } from "node:path";
import { checkString } from "../common/check.js";
import { Catalog, type RowCondition } from "../documents/catalog.js";
import { filterFields } from "../documents/filter/format-filter.js";
import type { UnknownField } from "../documents/filter/known-fields.js";
import type { Filter } from "../documents/filter/types.js";
import type {
  DocumentSummary,
  Snapshot,
  SourceRecord,
  StoredDocument,
  StoredPassage,
} from "../documents/records.js";
import type { SnapshotLock } from "../storage/snapshot-lock.js";
import { filterCondition } from "./filtering.js";
import { historyOf } from "./history.js";
import { holdGeneration } from "./load-snapshot.js";
import { nearestIds } from "./nearest-ids.js";
import type { HistoryEntry } from "./options.js";
import { unknownFieldsOf } from "./unknown-fields.js";

/** Documents that are read at a time. */
const PAGE = 500;

export interface ViewOptions {
  readonly filter?: Filter;
  /** Documents to pass over. Default 0. */
  readonly offset?: number;
  /** Documents at most. Default: all. */
  readonly limit?: number;
}

export class CatalogView {
  private constructor(
    /** Absolute path. */
    readonly folder: string,
    private readonly catalog: Catalog,
    private readonly snapshot: Snapshot,
    private readonly lock: SnapshotLock,
  ) {}

  /** Errors: INDEX_NOT_FOUND, FORMAT_TOO_NEW, CORRUPT, LOCKED, IO. */
  static open(folder: string): CatalogView {
    const path = resolve(checkString("folder", folder));
    const catalog = Catalog.open(path, { readOnly: true });
    try {
      const { generation, lock } = holdGeneration(path, catalog);
      return new CatalogView(path, catalog, generation.snapshot, lock);
    } catch (error) {
      catalog.close();
      throw error;
    }
  }

  get generation(): number {
    return this.snapshot.generation;
  }

  /** Live documents. */
  get documents(): number {
    return this.snapshot.documents;
  }

  /** A live document by its id. Errors: INVALID_DOCUMENT for what cannot be an id. */
  get(id: string): StoredDocument | undefined {
    return this.catalog.documentById(id, this.snapshot);
  }

  /** Those of the ids that are there in the newest generation, which may be later than this one. */
  present(ids: readonly string[]): Set<string> {
    return new Set(this.catalog.liveIds(ids).keys());
  }

  /** Files that documents were read from, as they were then. Errors: CORRUPT. */
  sources(): SourceRecord[] {
    return this.catalog.sources(this.snapshot);
  }

  /** The passages of a document of this generation, in order. */
  passagesOf(document: DocumentSummary): StoredPassage[] {
    return this.catalog.passagesOf(document);
  }

  /** Live documents without their texts, in the order in which they were added, page by page. */
  *pages(options: ViewOptions = {}): Generator<DocumentSummary[]> {
    const condition = conditionOf(options.filter);
    let left = options.limit ?? Number.MAX_SAFE_INTEGER;
    let offset = options.offset ?? 0;
    if (left > PAGE) this.catalog.requireWhole(this.snapshot);
    for (let after = -1; left > 0; ) {
      const page = { after, offset, limit: Math.min(left, PAGE) };
      const documents = this.catalog.summaries(this.snapshot, page, condition);
      const last = documents.at(-1);
      if (last === undefined) return;
      yield documents;
      after = last.documentNo;
      offset = 0;
      left -= documents.length;
    }
  }

  /** How many live documents match. */
  count(filter?: Filter): number {
    const condition = conditionOf(filter);
    if (condition === undefined) return this.snapshot.documents;
    return this.catalog.matchingDocuments(this.snapshot, condition).length;
  }

  /** Fields of a filter that no live document has. */
  unknownFields(filter: Filter): UnknownField[] {
    return unknownFieldsOf(this.catalog, this.snapshot, filterFields(filter));
  }

  /** Ids of live documents that resemble one that is not there; often none. */
  nearestIds(id: string): string[] {
    return nearestIds(id, this.idCandidates());
  }

  /** What made the generations up to this one, newest first, with their times as far as `history.log` has them. */
  history(limit: number): HistoryEntry[] {
    return historyOf(this.catalog, this.generation, limit);
  }

  close(): void {
    this.lock.release();
    this.catalog.close();
  }

  private *idCandidates(): Generator<string> {
    for (const page of this.pages()) for (const { id } of page) yield id;
  }
}

function conditionOf(filter: Filter | undefined): RowCondition | undefined {
  return filter === undefined ? undefined : filterCondition(filter);
}
